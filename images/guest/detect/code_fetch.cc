// Detector of R10 (fetch): once a write is over, code that was changed by it runs as it is now; so does code into which the
// kernel has put a breakpoint.
//
//   act       the writer (its own process and CPU) writes a page of code in the next version: each line of it is a
//             function that returns the version
//   promise   the call has returned (aio and io_uring: the completion was taken from the queue)
//   publish   the writer stores that version in shared memory (release)
//   observe   the reader (another address space and CPU) loads it (acquire), then calls the function through its
//             read-only executable mapping
//
// Proof of R10: the function returns an older version, for `settle` and until the injectors' calls have returned.
// Proof of R8: the line is no code of this page; it is looked at before it is called, through the same translation, and
// then not called. A function that returns an older version than the look has just shown proves nothing: load and fetch
// used the same translation, and an emulator that translates a line while another CPU overwrites it may go on with what
// it has read (metric `behind`). `via`, `fs`, `brief`, `tries` and `promises` as in write_under.
//
// `via` uprobe (lib/page_pair.h): thread A finds that reclaim has taken a page of code that thread B runs all the time, and puts
// a uprobe there. Promise: perf_event_open() has returned. Thread B runs the function, which must count as a hit.
// Proof of R10: it does not, so the instruction from before the breakpoint ran. Cannot see: a translation that only
// fetches use, since the look uses it as well; other promise points than that of a file write.
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "agent/kernel_files.h"
#include "lib/file_versions.h"
#include "lib/page_pair.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R10", "R8"};
constexpr auto kVia = [] {
  std::array<std::string_view, kWriteVia.size() + 1> via{};
  std::copy(kWriteVia.begin(), kWriteVia.end(), via.begin());
  via.back() = "uprobe";
  return via;
}();
constexpr std::array<Param, 5> kParams{{
    pages_param(1, kMaxWatchedPages, "pages of code"),
    period_param(2'000'000, "pause between two writes"),
    via_param(kVia, "how the file is written; device: the node of a RAM disk; uprobe: it is not, but probed"),
    fs_param(),
    settle_param(),
}};

/// `mov $version, %eax; ret`, and two bytes that are never run.
constexpr std::uint64_t function_word(std::uint64_t version) {
  return 0x9090c300000000b8 | (version & 0xffffffff) << 8U;
}

/// A line of code says whose it is, too: only its first word differs between versions.
Line code_line(std::uint64_t owner, std::uint64_t page, std::uint64_t version, std::uint64_t number) {
  Line line = make_line(owner, page, 1, number);
  line.magic = function_word(version);
  return line;
}

void fill_code_page(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version) {
  for (std::uint64_t number = 0; number < kLinesPerPage; ++number)
    static_cast<Line*>(page)[number] = code_line(owner, index, version, number);
}

/// Calls the line's function; the line as data would tell the version that it returned.
Line call_line(PartContext& context, const LinePlace& place) {
  const Line seen = load_line(place.at);
  Line own = code_line(context.owner(), place.page, 0, place.line);
  own.magic = seen.magic;
  if (seen != own || function_word(seen.magic >> 8U) != seen.magic) return seen;
  const auto function = reinterpret_cast<std::uint32_t (*)()>(reinterpret_cast<std::uintptr_t>(place.at));
  const std::uint32_t ran = function();
  const auto looked = static_cast<std::uint32_t>(seen.magic >> 8U);
  if (ran < looked) context.metric("behind").fetch_add(1, std::memory_order_relaxed);
  return make_line(context.owner(), place.page, std::max(ran, looked), place.line);
}

/// What stands for the version of a page whose function was hit.
constexpr std::uint64_t kHit = 2;
constexpr std::uint8_t kBreakpoint = 0xcc;

/// By page: what counts the hits of its first function; -1: it has no probe. Written by A.
std::array<std::atomic<int>, kMaxPairPages> probes;

/// Puts a uprobe at that offset of the file, for all processes on CPU `cpu`.
int open_probe(PartContext& context, const std::string& path, std::uint64_t offset, unsigned cpu) {
  static const std::string type = read_text("/sys/bus/event_source/devices/uprobe/type");
  if (type.empty()) context.fail("the kernel has no uprobes");
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = static_cast<std::uint32_t>(std::strtoul(type.c_str(), nullptr, 10));
  attributes.config1 = reinterpret_cast<std::uintptr_t>(path.c_str());
  attributes.config2 = offset;
  const auto fd =
      static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC));
  if (fd < 0) context.fail("perf_event_open of a uprobe: %s", std::strerror(errno));
  return fd;
}

std::uint64_t count_hits(int fd) {
  std::uint64_t hits = 0;
  return fd >= 0 && read(fd, &hits, sizeof(hits)) == static_cast<ssize_t>(sizeof(hits)) ? hits : 0;
}

/// Runs the first function of page `page` of the code at `view`, unless what is there is not its own.
void run_probed(PartContext& context, const Line* view, std::uint64_t page, std::uint64_t line, Line& seen) {
  const Line* first = page_lines(view, page);
  const Line own = code_line(context.owner(), page, 1, 0);
  Line looked = load_line(first);
  if ((looked.magic & 0xff) == kBreakpoint)
    looked.magic = (looked.magic & ~std::uint64_t{0xff}) | (own.magic & 0xff);
  if (looked != own) {
    seen = looked;
    return;
  }
  const int probe = probes[page].load(std::memory_order_acquire);
  const std::uint64_t before = count_hits(probe);
  reinterpret_cast<std::uint32_t (*)()>(reinterpret_cast<std::uintptr_t>(first))();
  const bool hit = count_hits(probe) != before;
  seen = make_line(context.owner(), page, hit ? kHit : 1, line);
}

void probe_pages(PartContext& context, const std::string& path, std::uint64_t pages) {
  static constexpr PairPromise kPut{"R10", "perf_event_open() of a uprobe in it had returned", std::nullopt};
  static constexpr PairPromise kTaken{"R10", "the uprobe in it was closed", std::nullopt};
  const int fd = open_page_file(context, path, O_RDONLY);
  void* at = mmap(nullptr, pages * kPageSize, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) context.fail("mmap %s: %s", path.c_str(), std::strerror(errno));
  madvise(at, pages * kPageSize, MADV_RANDOM);
  for (auto& probe : probes) probe.store(-1);
  const auto* view = static_cast<const Line*>(at);
  static PagePair pair(context, static_cast<char*>(at), pages, 0,
                       [&context, view](const Line* line, Line& seen) {
                         const auto number = static_cast<std::uint64_t>(line - view);
                         run_probed(context, view, number / kLinesPerPage, number % kLinesPerPage, seen);
                         return true;
                       });
  pair.run(1, Absence::no_entry, [&](std::uint64_t page) {
    pair.begin(page);
    const int probe = open_probe(context, path, page * kPageSize, context.reader_cpu(0));
    probes[page].store(probe, std::memory_order_release);
    pair.tell(page, kHit, kPut);
    pair.begin(page);
    probes[page].store(-1);
    close(probe);
    // The kernel may leave a copy of the page in its place.
    madvise(pair.address(page), kPageSize, MADV_DONTNEED);
    pair.tell(page, 1, kTaken);
  });
}

void run(PartContext& context) {
  context.metric("behind");
  if (context.choice("via") == "uprobe") {
    const std::uint64_t pages = context.number("pages");
    const std::string path = create_page_file(context, pages, part_path(context), fill_code_page);
    run_pair_process(context, [&] { probe_pages(context, path, pages); });
    return;
  }
  run_version_watch(
      context, create_written_file(context, fill_code_page),
      {"R10", "the write was over", write_versions<fill_code_page>, call_line, PROT_READ | PROT_EXEC});
}

}  // namespace

extern const Part code_fetch{.kind = PartKind::detector,
                             .name = "code_fetch",
                             .summary = "code that was changed by a file write runs as it is now",
                             .rules = kRules,
                             .params = kParams,
                             .needs_disk = true,
                             .run = run};

}  // namespace luf::guest
