// The pages of a litmus test: each a file of its own, mapped by every processor.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "lib/page_file.h"
#include "lib/residency.h"
#include "protocol/litmus.h"

namespace luf::guest {

/// The files, as the one who directs the test has them.
class LitmusFiles {
 public:
  /// Makes them; fails the part on an error.
  LitmusFiles(PartContext& context, std::size_t pages);
  /// Puts those that a round has changed into value 0 again, clean.
  void reset(const std::vector<bool>& changed);

 private:
  PartContext& context_;
  std::vector<int> fds_;
};

/// The path of a page's file.
std::string litmus_file(const PartContext& context, std::size_t page);

/// How a test's pages are mapped for loads: shared and read-only, private and writable, shared and writable.
enum class LitmusMap { shared, own, writable };

/// What one address space has of the pages. Thread: the processors that share it, on different pages or steps.
class LitmusPages {
 public:
  LitmusPages(PartContext& context, std::size_t pages, LitmusMap map);

  /// Where loads go.
  const Line* view(std::size_t page) const { return reinterpret_cast<const Line*>(view_ + page * kPageSize); }

  /// A step that changes a page, its data or its mapping.
  void act(const protocol::LitmusStep& step);
  /// A store through the view; false: it faulted.
  bool poke(std::size_t page, std::uint64_t value);
  /// What the disk has, once all that is known to be dirty was written: a store that the kernel has lost is not there.
  Line disk(std::size_t page);
  /// Makes the mapping as it was before the step.
  void undo(const protocol::LitmusStep& step);

  /// Moves the page to the next node in every address space; false: it stayed.
  bool migrate(std::size_t page);
  /// Has the kernel reclaim all pages; false: some stayed.
  bool reclaim();

 private:
  void map_view(std::size_t page);
  void move(std::size_t page);
  char* alias(std::size_t page) const { return alias_ + page * kPageSize; }
  void must(bool done, const char* what);

  PartContext& context_;
  std::size_t pages_;
  LitmusMap map_;
  char* view_;
  char* alias_;   ///< shared and writable
  char* refuge_;  ///< where `move` moves to
  std::vector<int> fds_;
  int reclaim_fd_;
  PageTableView table_;
};

}  // namespace luf::guest
