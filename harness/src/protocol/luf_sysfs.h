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

/// A flush point: switching it off is a seeded fault.
struct FlushPoint {
  std::string_view name;     ///< as `points` takes it
  std::string_view rules;    ///< of docs/contract.md
  std::string_view summary;  ///< where it sits
};

inline constexpr std::array<FlushPoint, 21> kFlushPoints{{
    {"full", "R8", "a bound on pending frames is reached: before they go back to the allocator"},
    {"age", "R8", "the bound on age is reached: before the frames go back to the allocator"},
    {"drain", "R8", "the allocator or the user asks for them: before the frames go back"},
    {"kept", "R8", "a migration failed: before the source stays in use"},
    {"unmap", "R1", "munmap, mmap over, mremap, MADV_*: before the range is gone"},
    {"protect", "R2", "mprotect and userfaultfd write-protect: before the permission changes"},
    {"mkwrite", "R6", "before a page of the same mm changes for its other threads"},
    {"alias_write", "R5", "before a shared file page becomes writable through any mapping"},
    {"file_write", "R3", "end of a write to a file"},
    {"async_write", "R3", "start of AIO and io_uring writes; the file is never deferred again"},
    {"truncate", "R4", "end of a truncation"},
    {"invalidate", "R4", "page cache thrown away, also by direct I/O and by block devices"},
    {"uffd", "R9", "userfaultfd: COPY, ZEROPAGE, CONTINUE, MOVE"},
    {"fault_race", "R6", "a fault finds that its PTE has changed (v11)"},
    {"write_begin", "R3", "a buffered write, after ->write_begin (v12)"},
    {"fault_tail", "R6", "end of a fault that may write (v12)"},
    {"mkclean", "R5", "write-back makes a mapped page clean (v12)"},
    {"switch", "R1", "a CPU drops a lazy mm (v12)"},
    {"mmap_lock", "R1", "the mmap lock is taken for writing (mm-lock)"},
    {"vma_lock", "R1", "a VMA lock is taken for writing (mm-lock)"},
    {"fault", "R6", "start of a fault (mm-lock)"},
}};

/// Seeded faults (CONFIG_LUF_FAULT): a directory each here, with a file `probability` (percent). Each flush point has
/// one by its name, too: it is passed without its flush.
inline constexpr std::string_view kLufFaultDir = "/sys/kernel/debug/luf/fault";
inline constexpr std::array<std::string_view, 7> kFaults{
    "cpu_mask", "lost_mark", "early_done", "early_free", "defer_writable", "defer_any_entry", "keep_pending"};

/// Windows that can be widened, by `us` (microseconds), as often as `probability` says.
inline constexpr std::string_view kLufDelayDir = "/sys/kernel/debug/luf/delay";
inline constexpr std::array<std::string_view, 7> kDelays{"publish", "hold", "flush",     "done",
                                                         "set",     "fork", "fault_tail"};

}  // namespace luf::protocol
