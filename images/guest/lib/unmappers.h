// Whether the injectors' system calls that were under way have returned since.
//
// Reclaim takes a batch of pages out of the page cache, and flushes once for the batch before it frees them.
// On every Linux a file write, a store or a copy that falls between passes its promise point while the old
// page can still be read. When the reclaiming call has returned, its flush is due: old data seen after that
// is nobody's window.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "lib/part_context.h"

namespace luf::guest {

/// For injectors: stands around a system call that unmaps. Waits for quiet moments to pass. Partners:
/// UnmappersReturned, QuietMoment.
class Unmapping {
 public:
  Unmapping(SharedArea& area, unsigned slot) : acting_(area.acting[slot]) {
    acting_.fetch_add(1);
    // Said first, looked second, as QuietMoment does the other way round: one of the two sees the other.
    while (area.quiet.load() != 0 && area.stop.load() == 0) {
      acting_.fetch_add(1);
      sleep_ns(kPauseNs);
      acting_.fetch_add(1);
    }
  }
  ~Unmapping() { acting_.fetch_add(1); }
  Unmapping(const Unmapping&) = delete;
  Unmapping& operator=(const Unmapping&) = delete;

 private:
  static constexpr std::uint64_t kPauseNs = 100'000;
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

/// For detectors of what lasts too short to be waited out: while it lives no call of an injector is under way.
/// Its making waits for those that are.
class QuietMoment {
 public:
  explicit QuietMoment(SharedArea& area) : area_(area) {
    area.quiet.fetch_add(1);
    const UnmappersReturned unmappers(area);
    for (Backoff backoff; !unmappers.all() && area.stop.load() == 0;) backoff.pause();
  }
  ~QuietMoment() { area_.quiet.fetch_sub(1); }
  QuietMoment(const QuietMoment&) = delete;
  QuietMoment& operator=(const QuietMoment&) = delete;

 private:
  SharedArea& area_;
};

}  // namespace luf::guest
