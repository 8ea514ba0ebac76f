// Detector of R3 (file write): once a write is over, every mapping of the file shows the new data.
//
//   act       the writer (its own process and CPU) writes a whole page in the next version
//   promise   the call has returned (aio and io_uring: the completion was taken from the queue)
//   publish   the writer stores that version in shared memory (release)
//   observe   the reader (another address space and CPU) loads it (acquire), then the line through its
//             mapping
//
// `via` is the way to write (lib/file_writer.h); device is pwrite to the node of a RAM disk, which no file system sees, loop
// a direct write to a loop device over the file. Proof of R3: a line that is whole (its checksum is right) and
// older than the version loaded before it, and stays so for `settle` and until every injector's call that was
// under way has returned. Proof of R8: a line that is not this line of this file. Every Linux takes reclaimed
// pages out of the page cache a batch at a time and flushes once for the batch; a write that falls between is
// over before the flush (lib/unmappers.h). Old data that is gone by then is counted as `brief`, no finding. The
// writer prefers pages that are not in the page cache: only there can a translation have been left behind by
// reclaim (`promises` counts them; `tries` counts all writes). Cannot see: lines torn between two versions are
// left alone. What a FUSE server changes by itself: remote_change.
#include <array>

#include "lib/file_versions.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R3", "R8"};
constexpr std::array<Param, 5> kParams{{
    pages_param(1, kMaxWatchedPages, "pages of the file"),
    period_param(2'000'000, "pause between two writes"),
    via_param(kWriteVia, "how the file is written; device: the node of a RAM disk"),
    fs_param(),
    settle_param(),
}};

void run(PartContext& context) {
  run_version_watch(context, create_written_file(context, fill_page),
                    {"R3", "the write was over", write_versions<fill_page>});
}

}  // namespace

extern const Part write_under{.kind = PartKind::detector,
                              .name = "write_under",
                              .summary = "what was written to a file must show through every mapping of it",
                              .rules = kRules,
                              .params = kParams,
                              .needs_disk = true,
                              .run = run};

}  // namespace luf::guest
