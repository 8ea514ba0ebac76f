// The memory that the agent and every part share: how parts are stopped, and what they leave for the agent to
// tell. Parts never write events themselves, so the stream's sequence has no gap.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace luf::guest {

inline constexpr std::size_t kMaxParts = 16;
inline constexpr std::size_t kMaxTargets = 64;
inline constexpr std::size_t kMaxMetrics = 16;
inline constexpr std::size_t kFindingsKept = 8;

/// A finding as a part leaves it. Partner: PartContext::report() fills, the agent reads after `ready`.
struct FindingRecord {
  std::atomic<std::uint32_t> ready;
  char rule[8];
  char detail[256];
  char evidence[1024];  ///< text of a JSON object
  std::uint64_t loads;
  std::uint64_t at_ns;  ///< CLOCK_MONOTONIC when it was seen
  unsigned cpu;         ///< where
};

/// A named counter. `name` is written once, before `value` is first used, by the part's main process.
struct Metric {
  char name[32];
  std::atomic<std::uint64_t> value;
};

/// What one part owns in the area.
struct PartSlot {
  std::atomic<std::uint64_t> loads;
  std::atomic<std::uint64_t> findings;  ///< all; the first kFindingsKept have a record
  std::atomic<std::uint32_t> ready;     ///< its set-up is over
  /// Moves about once a millisecond while the part's main process gets the CPU.
  std::atomic<std::uint64_t> tick;
  std::atomic<std::uint32_t> failed;  ///< `error` is complete
  char error[256];
  std::uint32_t metric_count;
  std::array<Metric, kMaxMetrics> metrics;
  std::array<FindingRecord, kFindingsKept> records;
};

/// Memory of a part that injectors may act on. Partner: PartContext::add_target() publishes by `pid`, written
/// last.
struct Target {
  std::atomic<pid_t> pid;  ///< 0: free
  char* address;           ///< in that process
  std::uint64_t length;
};

struct SharedArea {
  std::atomic<std::uint32_t> start;
  alignas(64) std::atomic<std::uint32_t> stop;
  alignas(64) std::atomic<std::uint32_t> target_count;
  /// By part: odd while an injector is inside a system call that unmaps (lib/unmappers.h).
  std::array<std::atomic<std::uint64_t>, kMaxParts> acting;
  std::atomic<std::uint32_t> quiet;  ///< detectors that need injectors to pause
  std::array<Target, kMaxTargets> targets;
  alignas(4096) std::array<PartSlot, kMaxParts> parts;
};

/// Maps a zeroed area that forked children share. Returns nullptr on failure (errno tells).
SharedArea* map_shared_area();
void unmap_shared_area(SharedArea* area);

}  // namespace luf::guest
