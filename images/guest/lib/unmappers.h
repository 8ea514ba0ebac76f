// Whether the injectors' system calls that were under way have returned since.
//
// Reclaim takes a batch of pages out of the page cache, and flushes once for the batch before it frees them.
// On every Linux a file write, a store or a copy that falls between passes its promise point while the old
// page can still be read. When the reclaiming call has returned, its flush is due: old data seen after that
// is nobody's window.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "lib/part_context.h"

namespace luf::guest {

/// For injectors: stands around a system call that unmaps. Partner: UnmappersReturned.
class Unmapping {
 public:
  Unmapping(SharedArea& area, unsigned slot) : acting_(area.acting[slot]) { acting_.fetch_add(1); }
  ~Unmapping() { acting_.fetch_add(1); }
  Unmapping(const Unmapping&) = delete;
  Unmapping& operator=(const Unmapping&) = delete;

 private:
  std::atomic<std::uint64_t>& acting_;
};

/// For injectors: one call of `act(index, target)`, each counted as unmapping, for every target there is.
template <typename Act>
void unmap_targets(PartContext& context, Act act) {
  for (std::size_t index = 0; index < kMaxTargets; ++index) {
    const Target& target = context.area().targets[index];
    if (target.pid.load(std::memory_order_acquire) == 0) return;
    const Unmapping unmapping(context.area(), context.index());
    act(index, target);
  }
}

/// For detectors: made when old data is seen first.
class UnmappersReturned {
 public:
  explicit UnmappersReturned(const SharedArea& area) : area_(area) {
    for (std::size_t i = 0; i < kMaxParts; ++i) seen_[i] = area.acting[i].load(std::memory_order_acquire);
  }
  /// No call was under way.
  bool none() const {
    return std::all_of(seen_.begin(), seen_.end(), [](std::uint64_t count) { return count % 2 == 0; });
  }
  /// No call has begun or ended since.
  bool unchanged() const {
    for (std::size_t i = 0; i < kMaxParts; ++i) {
      if (area_.acting[i].load(std::memory_order_acquire) != seen_[i]) return false;
    }
    return true;
  }
  /// Every call that was under way has returned.
  bool all() const {
    for (std::size_t i = 0; i < kMaxParts; ++i) {
      if (seen_[i] % 2 != 0 && area_.acting[i].load(std::memory_order_acquire) == seen_[i]) return false;
    }
    return true;
  }

 private:
  const SharedArea& area_;
  std::array<std::uint64_t, kMaxParts> seen_{};
};

}  // namespace luf::guest
