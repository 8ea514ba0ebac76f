// Detector of R5 (alias write) by message passing: a store of a third thread through a mapping that another
// thread's fault has just made writable is seen by whoever learns of it, even before that fault is over.
//
//   act       thread X stores to a page of a shared file mapping that is not mapped: the fault makes it writable
//   observe   thread Y of the same process sees in the page table that the page is there
//   act       Y stores the next version in the page's first line, without a fault of its own
//   publish   Y stores that version in shared memory (release)
//   observe   the reader (another address space and CPU) loads it (acquire), then the line through its own
//             read-only mapping
//
// The flush must come before the entry is visible: a kernel that flushes at the end of X's fault is too late.
// Only for microseconds, so that nothing can be waited out: from before X's fault until Y has published the
// injectors pause (QuietMoment). No batch in flight can then explain old data, and it is a finding at once. Proof
// of R5: a whole line older than what was published. Proof of R8: a line that is not this line of this file.
// `tries` counts X's faults, `promises` the stores of Y. Cannot see: old data before Y has noticed the entry; it
// takes unmappers that are no injectors (kswapd) for a violation, so memory must not be short.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/doorbell.h"
#include "lib/params.h"
#include "lib/residency.h"
#include "lib/unmappers.h"
#include "lib/version_watch.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R5", "R8"};
constexpr std::array<Param, 2> kParams{{
    pages_param(1, kMaxWatchedPages, "pages of the file"),
    period_param(500'000, "pause between two faults"),
}};

/// What X and Y share. X sets `page` when everything else is set; Y clears it.
struct Errand {
  PartContext& context;
  CommittedVersions& committed;
  char* alias;
  PageTableView table;
  std::atomic<std::uint64_t> page{0};  ///< index + 1; 0: none
  std::atomic<bool> watching{false};   ///< Y polls the page table
};

/// Thread Y's store, when X's fault has made the entry visible. Partner of fault_in().
void store_through_new_entry(Errand& errand, std::uint64_t page) {
  PartContext& context = errand.context;
  do {
    errand.watching.store(true, std::memory_order_release);
    errand.table.refresh();
    if (context.stopping()) return;
  } while (!errand.table.present(page));
  auto& committed = errand.committed.version[page];
  const std::uint64_t version = committed.load(std::memory_order_relaxed) + 1;
  ring_mark(act_mark(context.index(), page, version));
  restamp_line(errand.alias + page * kPageSize, context.owner(), page, version, 0);
  committed.store(version, std::memory_order_release);
  context.metric("promises").fetch_add(1);
}

/// Thread Y.
void* run_third_thread(void* argument) {
  Errand& errand = *static_cast<Errand*>(argument);
  if (!pin_to_cpu(errand.context.reader_cpu(1))) errand.context.fail("pin: %s", std::strerror(errno));
  while (!errand.context.stopping()) {
    const std::uint64_t page = errand.page.load(std::memory_order_acquire);
    if (page == 0) {
      __builtin_ia32_pause();
      continue;
    }
    store_through_new_entry(errand, page - 1);
    errand.watching.store(false, std::memory_order_relaxed);
    errand.page.store(0, std::memory_order_release);
  }
  return nullptr;
}

/// Thread X's fault on a page that is not mapped.
void fault_in(Errand& errand, std::uint64_t page) {
  PartContext& context = errand.context;
  errand.page.store(page + 1, std::memory_order_release);
  while (!errand.watching.load(std::memory_order_acquire) && !context.stopping()) __builtin_ia32_pause();
  restamp_line(errand.alias + page * kPageSize, context.owner(), page, 1, kLinesPerPage - 1);
  for (Backoff backoff; errand.page.load(std::memory_order_acquire) != 0 && !context.stopping();)
    backoff.pause();
}

/// Thread X.
void fault_pages(PartContext& context, const std::string& path, std::uint64_t pages,
                 CommittedVersions& committed) {
  const std::uint64_t period = context.number("period");
  const int fd = open_page_file(context, path, O_RDWR);
  void* at = mmap(nullptr, pages * kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  madvise(at, pages * kPageSize, MADV_RANDOM);
  auto* alias = static_cast<char*>(at);
  static Errand errand{context, committed, alias, PageTableView(context, alias, pages)};
  pthread_t third{};
  if (pthread_create(&third, nullptr, run_third_thread, &errand) != 0)
    context.fail("cannot make the third thread");
  context.spin_for_start();
  for (std::uint64_t round = 0; !context.stopping(); ++round, sleep_ns(period)) {
    const auto away = uncached_pages(alias, pages);
    if (away.empty()) continue;
    const std::uint64_t page = away[round % away.size()];
    context.metric("tries").fetch_add(1);
    {
      const QuietMoment quiet(context.area());
      fault_in(errand, page);
    }
    madvise(alias + page * kPageSize, kPageSize, MADV_DONTNEED);
    sync_file_range(fd, static_cast<off_t>(page * kPageSize), kPageSize,
                    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  }
  pthread_join(third, nullptr);
}

/// `learnt` is the version that the oracle has been told of.
void check_page(PartContext& context, const Line* view, std::uint64_t page, CommittedVersions& committed,
                std::uint64_t& learnt) {
  const std::uint64_t version = committed.version[page].load(std::memory_order_acquire);
  if (version != learnt) ring_promise("R5", act_mark(context.index(), page, version), page_lines(view, page));
  learnt = version;
  const Line seen = load_line(page_lines(view, page));
  const bool own = same_place(seen, context.owner(), page, 0);
  if (own && (!well_formed(seen) || seen.version >= version)) return;
  char detail[256];
  std::snprintf(detail, sizeof(detail), "A read of page %llu returned %s after version %llu was published.",
                static_cast<unsigned long long>(page), describe_line(seen).c_str(),
                static_cast<unsigned long long>(version));
  Evidence evidence;
  evidence.number("page", page);
  evidence.number("committed", version);
  evidence.line("seen", seen);
  context.report(own ? "R5" : "R8", detail, evidence);
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  context.metric("tries");
  context.metric("promises");
  CommittedVersions* committed = map_committed_versions(context, pages);
  const std::string path = create_page_file(context, pages);
  context.fork_pinned(context.reader_cpu(0), [&] {
    const Line* view = map_page_file(context, path, pages);
    context.add_target(getpid(), const_cast<Line*>(view), pages * kPageSize);
    std::array<std::uint64_t, kMaxWatchedPages> learnt{};
    context.spin_for_start();
    while (!context.stopping()) {
      for (std::uint64_t page = 0; page < pages; ++page)
        check_page(context, view, page, *committed, learnt[page]);
      context.loads().fetch_add(pages * kWordsPerLine, std::memory_order_relaxed);
    }
  });
  context.fork_pinned(context.worker_cpu(1), [&] { fault_pages(context, path, pages, *committed); });
  context.wait_for_start();
  context.supervise();
}

}  // namespace

extern const Part message_passing{
    .kind = PartKind::detector,
    .name = "message_passing",
    .summary = "a third thread's store through a new writable entry is seen by whoever learns of it",
    .rules = kRules,
    .params = kParams,
    .needs_disk = true,
    .min_cpus = 4,
    .run = run};

}  // namespace luf::guest
