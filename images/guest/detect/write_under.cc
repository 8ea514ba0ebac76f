// Detector of R3 (file write): once a write is over, every mapping of the file shows the new data.
//
//   act       the writer (its own process and CPU) writes a whole page in the next version
//   promise   the call has returned (aio and io_uring: the completion was taken from the queue)
//   publish   the writer stores that version in shared memory (release)
//   observe   the reader (another address space and CPU) loads it (acquire), then the line through its
//             mapping
//
// `via` pwrite, splice from a pipe, pwrite with O_DIRECT, aio (io_submit), io_uring, or pwrite to the node of a
// RAM disk (device), which no file system sees. Proof of R3: a line that is whole (its checksum is right) and
// older than the version loaded before it, and stays so for `settle` and until every injector's call that was
// under way has returned. Proof of R8: a line that is not this line of this file. Every Linux takes reclaimed
// pages out of the page cache a batch at a time and flushes once for the batch; a write that falls between is
// over before the flush (lib/unmappers.h). Old data that is gone by then is counted as `brief`, no finding. The
// writer prefers pages that are not in the page cache: only there can a translation have been left behind by
// reclaim (`promises` counts them; `tries` counts all writes). Cannot see: lines torn between two versions are
// left alone; FUSE, loop devices, reflink.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/file_writer.h"
#include "lib/residency.h"
#include "lib/version_watch.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R3", "R8"};
constexpr std::array<Param, 4> kParams{{
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 48,
     .min = 1,
     .max = kMaxWatchedPages,
     .summary = "pages of the file"},
    {.name = "period",
     .type = ParamType::duration,
     .default_number = 2'000'000,
     .min = 1000,
     .max = 60'000'000'000,
     .summary = "pause between two writes"},
    {.name = "via",
     .type = ParamType::choice,
     .default_choice = "pwrite",
     .choices = kWriteVia,
     .summary = "how the file is written; device: the node of a RAM disk"},
    {.name = "settle",
     .type = ParamType::duration,
     .default_number = 5'000'000,
     .max = 60'000'000'000,
     .summary = "how long old data must stay readable to be a finding, in steps of 1 ms"},
}};

constexpr std::uint64_t kWritesPerSync = 8;

void write_pages(PartContext& context, const std::string& path, std::uint64_t pages,
                 CommittedVersions& committed) {
  auto& tries = context.metric("tries");
  auto& promises = context.metric("promises");
  const std::uint64_t period = context.number("period");
  const auto writer = open_file_writer(context, context.choice("via"), path);
  const int fd = open_page_file(context, path, O_RDWR);
  const Line* view = map_page_file(context, path, pages);  // for mincore only, never read
  alignas(kPageSize) static std::uint64_t data[kPageSize / sizeof(std::uint64_t)];
  context.spin_for_start();
  for (std::uint64_t round = 0; !context.stopping(); ++round) {
    const auto away = uncached_pages(view, pages);
    if (!away.empty()) promises.fetch_add(1);
    const std::uint64_t page = away.empty() ? (round * 7) % pages : away[round % away.size()];
    const std::uint64_t version = committed.version[page].load(std::memory_order_relaxed) + 1;
    fill_page(data, context.owner(), page, version);
    writer->write(data, page * kPageSize);  // act, and with its return the promise
    committed.version[page].store(version, std::memory_order_release);  // publish
    tries.fetch_add(1);
    // Only clean pages are reclaimed without a flush of their own.
    if (round % kWritesPerSync == kWritesPerSync - 1) fdatasync(fd);
    sleep_ns(period);
  }
}

void run(PartContext& context) {
  context.metric("tries");
  context.metric("promises");
  const bool device = context.choice("via") == "device";
  const std::uint64_t pages = context.number("pages");
  const std::string path = device ? create_page_device(context, pages) : create_page_file(context, pages);
  run_version_watch(context, path, "R3", "the write was over", write_pages);
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
