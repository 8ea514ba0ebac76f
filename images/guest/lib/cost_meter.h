// Counts what an operation costs: with time that counts instructions (machine.icount), the time-stamp counter moves by
// 2^N for every instruction of any CPU.
#pragma once

#include <x86intrin.h>

#include <cstdint>

#include "lib/part_context.h"

namespace luf::guest {

/// Metrics `ops` and `ticks` of a part: operations, and how far the time-stamp counter moved while they were carried
/// out. Thread: one.
class CostMeter {
 public:
  explicit CostMeter(PartContext& context) : ops_(context.metric("ops")), ticks_(context.metric("ticks")) {}

  /// Carries out `batch`, which stands for `ops` operations.
  template <typename Batch>
  void measure(std::uint64_t ops, Batch batch) {
    const std::uint64_t begin = __rdtsc();
    batch();
    ticks_.fetch_add(__rdtsc() - begin, std::memory_order_relaxed);
    ops_.fetch_add(ops, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t>& ops_;
  std::atomic<std::uint64_t>& ticks_;
};

}  // namespace luf::guest
