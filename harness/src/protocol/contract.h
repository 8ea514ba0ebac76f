// The contract as data: what a kernel that flushes lazily owes every program, where it pays, and how it can be made to
// fail. docs/contract.md and the kill matrix are made from it; which detectors watch a rule and which scenario plants a
// fault is told by the detectors and the scenarios themselves (scenario/contract.h).
#pragma once

#include <array>
#include <string_view>

namespace luf::protocol {

/// A rule. Text is Markdown for one cell of a table.
struct Rule {
  std::string_view id;
  std::string_view name;
  std::string_view promise;     ///< the moment that counts
  std::string_view afterwards;  ///< what holds from then on, on every CPU
  std::string_view watched_by;  ///< who watches it where no detector does; empty: a detector must
  std::string_view no_fault;    ///< why no planted fault breaks it; empty: one must
};

inline constexpr std::array<Rule, 14> kRules{{
    {"R1", "unmap",
     "munmap, MAP_FIXED over a mapping, mremap, a shrinking brk, MADV_DONTNEED, MADV_REMOVE, shmdt has "
     "returned",
     "a fault or the new mapping, never the old frame", "", ""},
    {"R2", "permission", "mprotect, pkey_mprotect, userfaultfd write-protect has returned",
     "a fault on what is now forbidden", "", ""},
    {"R3", "file write",
     "any path that changes a file's data has returned: write and its relatives, AIO, io_uring, splice, "
     "copy_file_range, O_DIRECT, the block device beneath, FUSE, reflink",
     "the new data, through every mapping that exists", "", ""},
    {"R4", "revocation", "truncate, hole punch, zero, collapse or insert range, invalidation has returned",
     "SIGBUS, zeros or the new data, never the old bytes", "", ""},
    {"R5", "alias write",
     "some CPU has seen a store made through another mapping of the page, or by the kernel on a program's "
     "behalf",
     "whoever learns of it reads the new data", "", ""},
    {"R6", "copy-on-write", "the write fault in a private mapping has been served",
     "threads of the writer see the new page; parent and child never see each other's later stores", "", ""},
    {"R7", "no store",
     "an entry that may be writable or dirty in a TLB was unmapped, and the unmapper has freed or copied the "
     "frame",
     "no store reaches the old frame; no write is lost", "", ""},
    {"R8", "reuse", "the frame has a new owner of any kind, or its bytes change while free",
     "nobody reaches it through an old entry", "", ""},
    {"R9", "userfaultfd", "UFFDIO_COPY, ZEROPAGE, CONTINUE or MOVE has returned",
     "what was installed is seen; an address moved away from faults", "", ""},
    {"R10", "fetch", "that of R1 to R9, for an executable mapping", "the new instructions run, never the old",
     "", ""},
    {"R11", "kernel reads", "that of R1 to R9, where the kernel reads by user address, as for a futex",
     "the kernel sees what a load of the program would", "", ""},
    {"R12", "bound", "time passes and nothing else",
     "the oldest deferral is younger than the bound the kernel states", "the agent, at the end of each phase",
     "no planted fault lets a deferral grow old"},
    {"R13", "liveness", "memory is short, contexts are atomic, CPUs come and go",
     "no deadlock, no sleep in atomic context, no failed allocation that an unpatched kernel would have "
     "served",
     "", "no planted fault makes the kernel hang or keep frames from who is short"},
    {"R14", "accounts", "a quiet moment",
     "deferred = flushed + covered by other flushes + still pending; nothing is pending after a drain; "
     "nothing is "
     "negative",
     "the agent, at the end of each phase", "no planted fault miscounts"},
}};

/// A flush point (docs/kernel.md).
struct FlushPoint {
  std::string_view name;           ///< as `points` takes it
  std::string_view rules;          ///< that it keeps
  std::string_view summary;        ///< where it sits
  bool strict = true;              ///< in the set `strict`: to pass it without its flush is a planted fault
  std::string_view survives = {};  ///< why nothing can show that fault; empty: a scenario must
};

inline constexpr std::array<FlushPoint, 22> kFlushPoints{{
    {"full", "R8", "a bound on pending frames is reached: before they go back to the allocator"},
    {"age", "R8", "the bound on age is reached: before the frames go back to the allocator"},
    {"drain", "R8", "the allocator or the user asks for them: before the frames go back"},
    {"kept", "R8", "a migration failed: before the source stays in use", true,
     "the folio stays where it was and its entry is put back: an old one shows the right bytes and may do "
     "the same"},
    {"unmap", "R1", "munmap, mmap over, mremap, MADV_*: before the range is gone"},
    {"protect", "R2", "mprotect and userfaultfd write-protect: before the permission changes"},
    {"mkwrite", "R6", "before a page of the same mm changes for its other threads"},
    {"alias_write", "R5", "before a shared file page becomes writable through any mapping"},
    {"file_write", "R3", "end of a write to a file"},
    {"async_write", "R3", "start of AIO and io_uring writes; the file is never deferred again"},
    {"truncate", "R4", "end of a truncation"},
    {"invalidate", "R4", "page cache thrown away, also by direct I/O and by block devices"},
    {"refetch", "R3", "before a page of a file of FUSE, which its server may have changed, is read again"},
    {"uffd", "R9", "userfaultfd: COPY, ZEROPAGE, CONTINUE, MOVE"},
    {"fault_race", "R6", "a fault finds that its PTE has changed (v11)", false},
    {"write_begin", "R3", "a buffered write, after ->write_begin (v12)", false},
    {"fault_tail", "R6", "end of a fault that may write (v12)", false},
    {"mkclean", "R5", "write-back makes a mapped page clean (v12)", false},
    {"switch", "R1", "a CPU drops a lazy mm (v12)", false},
    {"mmap_lock", "R1", "the mmap lock is taken for writing (mm-lock)", false},
    {"vma_lock", "R1", "a VMA lock is taken for writing (mm-lock)", false},
    {"fault", "R6", "start of a fault (mm-lock)", false},
}};

/// What can be planted besides passing a flush point without its flush.
struct Fault {
  std::string_view name;
  std::string_view rules;          ///< that it breaks
  std::string_view summary;        ///< what goes wrong
  std::string_view survives = {};  ///< as in FlushPoint
};

inline constexpr std::array<Fault, 13> kFaults{{
    {"cpu_mask", "R8", "a flush forgets one CPU"},
    {"lost_mark", "R3", "neither mm nor file is marked: no flush point knows that something is pending"},
    {"early_done", "R8", "a flush counts as done before the CPUs have flushed"},
    {"early_free", "R8", "a frame is freed, not held"},
    {"defer_writable", "R7", "what can be stored through is deferred"},
    {"defer_any_entry", "R5", "entries that were flushed at once are not asked whether they can store"},
    {"keep_pending", "R8",
     "what reclaim has unmapped and then kept stays pending, and nobody knows when it is freed"},
    {"past_madvise", "R1",
     "Linux before 99baac21e458: MADV_DONTNEED that finds nothing does not wait for the flush of one that "
     "did"},
    {"past_batch", "R1",
     "Linux before 3ea277194daa: munmap and mprotect do not flush what reclaim has cleared and not yet "
     "flushed"},
    {"past_move", "R4",
     "Linux before eb66ae030829 and 5d1904204c99: mremap flushes after it has let go of the page table"},
    {"past_copy", "R6",
     "Linux before 4ce072f1faf2: a copy-on-write maps the copy before the original is flushed"},
    {"past_dirty", "R7",
     "Linux before 1cf35d47712d: a dirty page can be cleaned after it was zapped and before the flush"},
    {"past_protect", "R7",
     "Linux before 20841405940e: an entry without access passes for flushed while mprotect has yet to flush"},
}};

}  // namespace luf::protocol
