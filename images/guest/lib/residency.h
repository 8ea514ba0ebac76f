// Which pages of a mapping are there: in the page tables of this process, or in the page cache.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/part_context.h"

namespace luf::guest {

/// How a page is not in the page tables.
enum class Absence {
  no_entry,    ///< neither present nor swapped
  swap_entry,  ///< swapped
};

/// Reads /proc/self/pagemap. It takes no lock that flushes, so looking does not disturb what is looked at.
class PageTableView {
 public:
  /// Fails the part when pagemap cannot be opened.
  PageTableView(PartContext& context, const void* address, std::uint64_t pages);
  ~PageTableView();
  PageTableView(const PageTableView&) = delete;
  PageTableView& operator=(const PageTableView&) = delete;

  /// Reads the state of all pages anew.
  void refresh();
  /// Page `page` was not in the page tables, in that way, when last refreshed.
  bool absent(std::uint64_t page, Absence how) const {
    return entries_[page] >> 62U == (how == Absence::no_entry ? 0 : 1);
  }
  /// Page `page` was in the page tables when last refreshed.
  bool present(std::uint64_t page) const { return entries_[page] >> 63U == 1; }
  /// The number of the frame of a present page.
  std::uint64_t frame(std::uint64_t page) const { return entries_[page] & ((std::uint64_t{1} << 55U) - 1); }

 private:
  int fd_;
  std::uint64_t first_;
  std::vector<std::uint64_t> entries_;
};

/// Indices of pages of a file mapping that are not in the page cache (mincore).
std::vector<std::uint64_t> uncached_pages(const void* mapping, std::uint64_t pages);

}  // namespace luf::guest
