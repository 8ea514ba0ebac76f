// The kernel series' run-time switches (docs/kernel.md), as host and guest name them.
#pragma once

#include <array>
#include <string_view>

namespace luf::protocol {

/// Directory of the switches; its absence means a kernel without the series.
inline constexpr std::string_view kLufDir = "/sys/kernel/mm/luf";

/// `enabled` (0|1), `points` (a set's name, then `+name` and `-name` words), `batching` (0|1), `age_ms` (0: no bound),
/// `pending_max` (frames), and, read-only, `pending` and `pending_peak`; `drain` (write 1) flushes and frees all that
/// is pending.
inline constexpr std::string_view kLufEnabled = "/sys/kernel/mm/luf/enabled";
inline constexpr std::string_view kLufPoints = "/sys/kernel/mm/luf/points";
inline constexpr std::string_view kLufBatching = "/sys/kernel/mm/luf/batching";
inline constexpr std::string_view kLufAgeMs = "/sys/kernel/mm/luf/age_ms";
inline constexpr std::string_view kLufPendingMax = "/sys/kernel/mm/luf/pending_max";

/// Named sets of flush points; the kernel begins with `strict`.
inline constexpr std::array<std::string_view, 5> kPointSets{"reuse-only", "strict", "v11", "v12", "mm-lock"};

/// Seeded faults (CONFIG_LUF_FAULT): a directory each here, with a file `probability` (percent). Each flush point has
/// one by its name, too: it is passed without its flush.
inline constexpr std::string_view kLufFaultDir = "/sys/kernel/debug/luf/fault";

/// Windows that can be widened, by `us` (microseconds), as often as `probability` says.
inline constexpr std::string_view kLufDelayDir = "/sys/kernel/debug/luf/delay";
inline constexpr std::array<std::string_view, 11> kDelays{
    "publish", "hold", "flush", "done", "set", "fork", "fault_tail", "batch", "gather", "move", "copy"};

}  // namespace luf::protocol
