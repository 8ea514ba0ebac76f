// Which pages of a mapping are there: in the page tables of this process, or in the page cache.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/part_context.h"

namespace luf::guest {

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
  /// This process had no PTE (present or swapped) for page `page` when last refreshed.
  bool gone(std::uint64_t page) const { return entries_[page] >> 62U == 0; }

 private:
  int fd_;
  std::uint64_t first_;
  std::vector<std::uint64_t> entries_;
};

/// Indices of pages of a file mapping that are not in the page cache (mincore).
std::vector<std::uint64_t> uncached_pages(const void* mapping, std::uint64_t pages);

}  // namespace luf::guest
