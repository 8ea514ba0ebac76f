// Detector of R1 (unmap): once munmap() has returned, every thread of the process faults on the range.
//
//   act       thread A finds that the PTE of a page which thread B reads all the time is gone (reclaim took
//             it), and unmaps exactly that page: nothing present is left in the range, so munmap() has no
//             flush of its own to do
//   promise   munmap() has returned
//   publish   A sets the page's state (release)
//   observe   B, on another CPU, loads the state (acquire), then from the page: it must get SIGSEGV
//
// Only every second page is ever unmapped; its neighbours keep the page table, whose release would flush
// everything. B makes no system call at all and A maps the page again only after B has answered. Proof of R1:
// the load succeeds. Proof of R8: a line of a mapped page that is not the file's. `tries` counts pages
// unmapped, `promises` those whose PTE was gone before: only they can show a missing flush. Cannot see: ways
// of unmapping other than munmap().
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/guarded_load.h"
#include "lib/page_file.h"
#include "lib/residency.h"

namespace luf::guest {

namespace {

constexpr std::uint64_t kMaxPages = 60;
constexpr std::array<std::string_view, 2> kRules{"R1", "R8"};
constexpr std::array<Param, 2> kParams{{
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 48,
     .min = 2,
     .max = kMaxPages,
     .summary = "pages of the file; every second one is unmapped"},
    {.name = "period",
     .type = ParamType::duration,
     .default_number = 1'000'000,
     .min = 1000,
     .max = 60'000'000'000,
     .summary = "pause between two looks at the page table"},
}};

/// mapped -> (A: munmap) -> unmapped -> (B: answered) -> answered -> (A: mmap) -> mapped
enum State : std::uint32_t { mapped, unmapped, answered };

struct Shared {
  PartContext& context;
  unsigned reader_cpu;
  const Line* view;
  std::uint64_t pages;
  std::array<std::atomic<std::uint32_t>, kMaxPages> state{};
};

void report_access(Shared& shared, std::uint64_t page, std::uint64_t word) {
  char detail[256];
  std::snprintf(detail, sizeof(detail), "CPU %u still read page %llu although munmap() of it had returned.",
                shared.reader_cpu, static_cast<unsigned long long>(page));
  Evidence evidence;
  evidence.number("page", page);
  evidence.number("cpu", shared.reader_cpu);
  evidence.number("first_word", word);
  evidence.number("own_data", word == kLineMagic ? 1 : 0);
  shared.context.report("R1", detail, evidence);
}

void report_foreign(Shared& shared, std::uint64_t page, std::uint64_t word) {
  char detail[256];
  std::snprintf(detail, sizeof(detail), "CPU %u read page %llu of %s and got word %llx.", shared.reader_cpu,
                static_cast<unsigned long long>(page), owner_text(shared.context.owner()).c_str(),
                static_cast<unsigned long long>(word));
  Evidence evidence;
  evidence.number("page", page);
  evidence.number("cpu", shared.reader_cpu);
  evidence.number("first_word", word);
  shared.context.report("R8", detail, evidence);
}

/// Thread B. Partner of unmap_page().
void* read_pages(void* argument) {
  Shared& shared = *static_cast<Shared*>(argument);
  PartContext& context = shared.context;
  if (!pin_to_cpu(shared.reader_cpu))
    context.fail("pin to CPU %u: %s", shared.reader_cpu, std::strerror(errno));
  context.spin_for_start();
  while (!context.stopping()) {
    for (std::uint64_t page = 0; page < shared.pages; ++page) {
      const std::uint32_t state = shared.state[page].load(std::memory_order_acquire);
      if (state == answered) continue;
      std::uint64_t word = 0;
      const bool loaded = guarded_load(page_lines(shared.view, page), word);
      if (state == unmapped) {
        if (loaded) report_access(shared, page, word);
        shared.state[page].store(answered, std::memory_order_release);
      } else if (loaded && word != kLineMagic) {
        report_foreign(shared, page, word);
      }
    }
    context.loads().fetch_add(shared.pages, std::memory_order_relaxed);
  }
  return nullptr;
}

/// Thread A's act, promise and publication; then waits for B and maps the page again.
void unmap_page(Shared& shared, int fd, std::uint64_t page) {
  PartContext& context = shared.context;
  auto* at = const_cast<Line*>(page_lines(shared.view, page));
  if (munmap(at, kPageSize) != 0) context.fail("munmap: %s", std::strerror(errno));
  shared.state[page].store(unmapped, std::memory_order_release);
  while (shared.state[page].load(std::memory_order_acquire) != answered) {
    // Not mapped again: B may stand between its look at the state and its load.
    if (context.stopping()) return;
    sleep_ns(20'000);
  }
  void* again = mmap(at, kPageSize, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fd,
                     static_cast<off_t>(page * kPageSize));
  if (again != at)
    context.fail("map page %llu again: %s", static_cast<unsigned long long>(page), std::strerror(errno));
  madvise(at, kPageSize, MADV_RANDOM);  // and merges with its neighbours
  shared.state[page].store(mapped, std::memory_order_release);
}

/// Thread A.
void unmap_pages(Shared& shared, const std::string& path) {
  PartContext& context = shared.context;
  auto& tries = context.metric("tries");
  auto& promises = context.metric("promises");
  const std::uint64_t period = context.number("period");
  const int fd = open_page_file(context, path, O_RDONLY);
  PageTableView table(context, shared.view, shared.pages);
  pthread_t reader{};
  if (pthread_create(&reader, nullptr, read_pages, &shared) != 0)
    context.fail("cannot make the reading thread");
  context.add_target(getpid(), const_cast<Line*>(shared.view), shared.pages * kPageSize);
  context.spin_for_start();
  for (std::uint64_t round = 0; !context.stopping(); ++round) {
    table.refresh();
    // Now and then a page that is still mapped: the flush that munmap() does by itself is a promise as well.
    const std::uint64_t extra = round % 16 == 0 ? (round / 16 * 2 + 1) % shared.pages : 0;
    for (std::uint64_t page = 1; page < shared.pages && !context.stopping(); page += 2) {
      if (!table.gone(page) && page != extra) continue;
      if (table.gone(page)) promises.fetch_add(1);
      tries.fetch_add(1);
      unmap_page(shared, fd, page);
    }
    sleep_ns(period);
  }
  pthread_join(reader, nullptr);
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  if (pages > kMaxPages) context.fail("pages: at most %llu", static_cast<unsigned long long>(kMaxPages));
  context.metric("tries");
  context.metric("promises");
  const std::string path = create_page_file(context, pages);
  context.fork_pinned(context.worker_cpu(1), [&] {
    if (!install_load_guard()) context.fail("sigaction: %s", std::strerror(errno));
    static Shared shared{context, context.reader_cpu(0), map_page_file(context, path, pages), pages, {}};
    unmap_pages(shared, path);
  });
  context.wait_for_start();
  context.supervise();
}

}  // namespace

extern const Part unmap_access{.kind = PartKind::detector,
                               .name = "unmap_access",
                               .summary = "after munmap() has returned, every thread must fault on the page",
                               .rules = kRules,
                               .params = kParams,
                               .needs_disk = true,
                               .run = run};

}  // namespace luf::guest
