// Detector of R7 (no store): no store is lost while another thread forks.
//
//   act       thread F forks: the kernel write-protects the entries of the whole address space one after the
//             other and flushes once at the end; until then thread W's TLB may still let it store
//   meanwhile reclaim or migration unmaps one of these entries, which now look read-only
//   observe   W, on another CPU, stores the next version of a line of each hot page and reads it back a round
//             later
//
// The hot pages come first in memory and a region of `bulk` behind them, so that the time between their
// write-protection and the flush is long. Proof of R7: a line older than the one stored: the store went to a
// frame that had been copied. Proof of R8: a line that is not this line of this region. The children end at once
// and see nothing. `tries` counts forks, `promises` the forks during which a hot page was moved or taken. Cannot
// see: stores that a child sees of its parent.
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "lib/page_file.h"
#include "lib/params.h"
#include "lib/residency.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R7", "R8"};
constexpr std::array<Param, 3> kParams{{
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 48,
     .min = 1,
     .max = 4096,
     .summary = "hot pages, which are stored to"},
    {.name = "bulk",
     .type = ParamType::size,
     .default_number = 16U << 20U,
     .min = 4096,
     .max = 256U << 20U,
     .summary = "memory that makes a fork take long"},
    duration_param("period", 1'000'000, 0, "pause between two forks"),
}};

struct Region {
  PartContext& context;
  char* hot;
  std::uint64_t pages;
};

void report(PartContext& context, std::uint64_t page, std::uint64_t stored, const Line& seen) {
  char detail[256];
  std::snprintf(detail, sizeof(detail),
                "A thread read %s at page %llu after it had stored version %llu there.",
                describe_line(seen).c_str(), static_cast<unsigned long long>(page),
                static_cast<unsigned long long>(stored));
  Evidence evidence;
  evidence.number("page", page);
  evidence.number("stored", stored);
  evidence.line("seen", seen);
  context.report(same_place(seen, context.owner(), page, 0) ? "R7" : "R8", detail, evidence);
}

/// Thread W.
void* store_lines(void* argument) {
  const Region& region = *static_cast<Region*>(argument);
  PartContext& context = region.context;
  const unsigned cpu = context.reader_cpu(0);
  if (!pin_to_cpu(cpu)) context.fail("pin to CPU %u: %s", cpu, std::strerror(errno));
  context.spin_for_start();
  // All pages are always in the same version but for the round under way.
  for (std::uint64_t version = 2; !context.stopping(); ++version) {
    for (std::uint64_t page = 0; page < region.pages; ++page) {
      char* at = region.hot + page * kPageSize;
      const Line seen = load_line(at);
      if (seen != make_line(context.owner(), page, version - 1, 0)) report(context, page, version - 1, seen);
      restamp_line(at, context.owner(), page, version, 0);
    }
    context.loads().fetch_add(region.pages * kWordsPerLine, std::memory_order_relaxed);
  }
  return nullptr;
}

/// The frames of the hot pages; 0 for a page that is not there.
std::vector<std::uint64_t> frames_of(PageTableView& table, std::uint64_t pages) {
  table.refresh();
  std::vector<std::uint64_t> frames(pages);
  for (std::uint64_t page = 0; page < pages; ++page)
    frames[page] = table.present(page) ? table.frame(page) : 0;
  return frames;
}

void fork_once(PartContext& context) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  if (child < 0) context.fail("fork: %s", std::strerror(errno));
  waitpid(child, nullptr, 0);
}

/// Thread F.
void fork_on(PartContext& context, std::uint64_t pages) {
  auto& tries = context.metric("tries");
  auto& promises = context.metric("promises");
  const std::uint64_t bulk = context.number("bulk");
  const std::uint64_t length = pages * kPageSize + bulk;
  void* at = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  madvise(at, length, MADV_NOHUGEPAGE);
  static Region region{context, static_cast<char*>(at), pages};
  for (std::uint64_t page = 0; page < length / kPageSize; ++page)
    fill_page(region.hot + page * kPageSize, context.owner(), page, 1);
  PageTableView table(context, region.hot, pages);
  pthread_t writer{};
  if (pthread_create(&writer, nullptr, store_lines, &region) != 0)
    context.fail("cannot make the writing thread");
  context.add_target(getpid(), region.hot, pages * kPageSize);
  context.spin_for_start();
  const std::uint64_t period = context.number("period");
  while (!context.stopping()) {
    const auto before = frames_of(table, pages);
    fork_once(context);
    tries.fetch_add(1);
    if (frames_of(table, pages) != before) promises.fetch_add(1);
    sleep_ns(period);
  }
  pthread_join(writer, nullptr);
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  context.metric("tries");
  context.metric("promises");
  context.fork_pinned(context.worker_cpu(1), [&] { fork_on(context, pages); });
  context.wait_for_start();
  context.supervise();
}

}  // namespace

extern const Part fork_store{.kind = PartKind::detector,
                             .name = "fork_store",
                             .summary = "no store of one thread is lost while another thread forks",
                             .rules = kRules,
                             .params = kParams,
                             .needs_swap = true,
                             .run = run};

}  // namespace luf::guest
