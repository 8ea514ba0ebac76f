// The kernel series' run-time switches (docs/kernel.md), as host and guest name them.
#pragma once

#include <array>
#include <string_view>

namespace luf::protocol {

/// Directory of the switches; its absence means a kernel without the series.
inline constexpr std::string_view kLufDir = "/sys/kernel/mm/luf";

/// `enabled` (0|1), `points_off` (names, space separated; "none"), `age_ms` (0: no bound), `pending_max`
/// (frames), and, read-only, `pending` and `pending_peak`; `drain` (write 1) flushes and frees all that is
/// pending.
inline constexpr std::string_view kLufEnabled = "/sys/kernel/mm/luf/enabled";
inline constexpr std::string_view kLufPointsOff = "/sys/kernel/mm/luf/points_off";
inline constexpr std::string_view kLufAgeMs = "/sys/kernel/mm/luf/age_ms";
inline constexpr std::string_view kLufPendingMax = "/sys/kernel/mm/luf/pending_max";

/// A flush point: switching it off is a seeded fault.
struct FlushPoint {
  std::string_view name;     ///< as `points_off` takes it
  std::string_view clause;   ///< its number in docs/contract.md
  std::string_view summary;  ///< where it sits
};

inline constexpr std::array<FlushPoint, 5> kFlushPoints{{
    {"reuse", "R8", "before a pended frame goes back to the allocator"},
    {"unmap", "1a", "munmap, mmap over, mremap, MADV_*: before the range is gone"},
    {"mkwrite", "1b",
     "mprotect and the fault handler: before a page of the same mm changes for its other threads"},
    {"file_write", "2a", "end of a write to a file"},
    {"alias_write", "2b",
     "the fault handler: before a shared file page becomes writable through any mapping"},
}};

}  // namespace luf::protocol
