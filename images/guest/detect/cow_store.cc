// Detector of R6 (copy-on-write): after a store to a private mapping every thread of the process sees the new
// page.
//
//   act       thread A finds that the PTE of a page of a private file mapping, which thread B reads all the
//             time, is gone (reclaim took it), makes the page writable (`via` mprotect) or has it writable
//             (`via` fault) and stores a new version: the fault installs a page of the process's own
//   promise   the stores are done
//   publish   A sets the page's state to that version (release)
//   observe   B, on another CPU, loads the state (acquire), then a line of the page, then the state again:
//             when that has not moved, the line must be of that version
//
// After B has answered, A drops the private page (MADV_DONTNEED, which flushes) and B must see the file's
// version again. Proof of R6: an older version while the state stands, for `settle` and until the injectors'
// calls have returned. Proof of R1: the private version after the MADV_DONTNEED had returned. Proof of R8: a
// line that is not this line of this file. `tries` counts stores, `promises` those to pages whose PTE was
// gone before. `brief` as in write_under. Cannot see: copies caused by fork; pages whose PTE is still there
// (the fault flushes them itself).
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/page_file.h"
#include "lib/residency.h"
#include "lib/unmappers.h"

namespace luf::guest {

namespace {

constexpr std::uint64_t kMaxPages = 60;
constexpr std::uint64_t kFileVersion = 1;
constexpr std::uint64_t kBusy = 0;  ///< A is changing the page: B must not judge
constexpr std::array<std::string_view, 3> kRules{"R6", "R1", "R8"};
constexpr std::array<std::string_view, 2> kVia{"mprotect", "fault"};
constexpr std::array<Param, 4> kParams{{
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 48,
     .min = 1,
     .max = kMaxPages,
     .summary = "pages of the file"},
    {.name = "period",
     .type = ParamType::duration,
     .default_number = 1'000'000,
     .min = 1000,
     .max = 60'000'000'000,
     .summary = "pause between two looks at the page table"},
    {.name = "via",
     .type = ParamType::choice,
     .default_choice = "mprotect",
     .choices = kVia,
     .summary = "make the page writable before the store, or have the mapping writable from the start"},
    {.name = "settle",
     .type = ParamType::duration,
     .default_number = 5'000'000,
     .max = 60'000'000'000,
     .summary = "how long old data must stay readable to be a finding, in steps of 1 ms"},
}};

struct Shared {
  PartContext& context;
  unsigned reader_cpu;
  char* view;
  std::uint64_t pages;
  bool protect;
  std::uint64_t settle_ticks;
  /// The version that must be seen, or kBusy. Written by A only.
  std::array<std::atomic<std::uint64_t>, kMaxPages> state{};
  /// The last state with which B has found the page in agreement, or told that it is not. Written by B only.
  std::array<std::atomic<std::uint64_t>, kMaxPages> answer{};
};

void report(Shared& shared, std::uint64_t page, std::uint64_t expected, const Line& seen,
            std::uint64_t ticks) {
  const bool own_place = same_place(seen, shared.context.owner(), page, seen.line);
  const char* rule = !own_place ? "R8" : expected == kFileVersion ? "R1" : "R6";
  char detail[256];
  std::snprintf(detail, sizeof(detail), "CPU %u read %s at page %llu although %s.", shared.reader_cpu,
                describe_line(seen).c_str(), static_cast<unsigned long long>(page),
                expected == kFileVersion ? "MADV_DONTNEED of the private page had returned"
                                         : "another thread's private store was done");
  Evidence evidence;
  evidence.number("page", page);
  evidence.number("cpu", shared.reader_cpu);
  evidence.number("expected_version", expected);
  evidence.number("stale_ticks", ticks);
  evidence.line("seen", seen);
  shared.context.report(rule, detail, evidence);
}

enum class Look { agrees, moved, old, foreign };

Look look(Shared& shared, std::uint64_t page, std::uint64_t line, std::uint64_t state, Line& seen) {
  seen = load_line(page_lines(reinterpret_cast<Line*>(shared.view), page) + line);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (shared.state[page].load(std::memory_order_acquire) != state) return Look::moved;
  if (!same_place(seen, shared.context.owner(), page, line)) return Look::foreign;
  return seen.version == state && well_formed(seen) ? Look::agrees : Look::old;
}

/// Thread B's look at one page. Partner of store_version().
void check_page(Shared& shared, std::uint64_t page, std::uint64_t line, std::atomic<std::uint64_t>& brief) {
  PartContext& context = shared.context;
  const std::uint64_t state = shared.state[page].load(std::memory_order_acquire);
  if (state == kBusy) return;
  Line seen{};
  Look result = look(shared, page, line, state, seen);
  const std::uint64_t first_tick = context.tick().load(std::memory_order_relaxed);
  const UnmappersReturned unmappers(context.area());
  std::uint64_t ticks = 0;
  for (bool settled = false; result == Look::old && !settled && !context.stopping();) {
    ticks = context.tick().load(std::memory_order_relaxed) - first_tick;
    settled = ticks >= shared.settle_ticks && unmappers.all();
    result = look(shared, page, line, state, seen);
    if (result == Look::agrees) brief.fetch_add(1, std::memory_order_relaxed);
  }
  if (result == Look::moved || context.stopping()) return;
  if (result != Look::agrees) report(shared, page, state, seen, ticks);
  shared.answer[page].store(state, std::memory_order_release);
}

/// Thread B.
void* read_pages(void* argument) {
  Shared& shared = *static_cast<Shared*>(argument);
  PartContext& context = shared.context;
  if (!pin_to_cpu(shared.reader_cpu))
    context.fail("pin to CPU %u: %s", shared.reader_cpu, std::strerror(errno));
  auto& brief = context.metric("brief");
  context.spin_for_start();
  for (std::uint64_t line = 0; !context.stopping(); line = (line + 1) % kLinesPerPage) {
    for (std::uint64_t page = 0; page < shared.pages; ++page) check_page(shared, page, line, brief);
    context.loads().fetch_add(shared.pages * kWordsPerLine, std::memory_order_relaxed);
  }
  return nullptr;
}

void wait_for_answer(Shared& shared, std::uint64_t page, std::uint64_t state) {
  while (shared.answer[page].load(std::memory_order_acquire) != state && !shared.context.stopping())
    sleep_ns(20'000);
}

/// Thread A: one round on one page.
void store_version(Shared& shared, std::uint64_t page, std::uint64_t version) {
  PartContext& context = shared.context;
  char* at = shared.view + page * kPageSize;
  shared.state[page].store(kBusy, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);  // B sees busy before it can see any of the stores
  // act
  if (shared.protect && mprotect(at, kPageSize, PROT_READ | PROT_WRITE) != 0)
    context.fail("mprotect: %s", std::strerror(errno));
  restamp_page(at, context.owner(), page, version);
  shared.state[page].store(version, std::memory_order_release);  // promise and publication
  wait_for_answer(shared, page, version);
  shared.state[page].store(kBusy, std::memory_order_seq_cst);
  if (shared.protect && mprotect(at, kPageSize, PROT_READ) != 0)
    context.fail("mprotect back: %s", std::strerror(errno));
  if (madvise(at, kPageSize, MADV_DONTNEED) != 0) context.fail("MADV_DONTNEED: %s", std::strerror(errno));
  shared.state[page].store(kFileVersion, std::memory_order_release);
  wait_for_answer(shared, page, kFileVersion);
}

/// Thread A.
void store_versions(Shared& shared) {
  PartContext& context = shared.context;
  auto& tries = context.metric("tries");
  auto& promises = context.metric("promises");
  const std::uint64_t period = context.number("period");
  PageTableView table(context, shared.view, shared.pages);
  for (std::uint64_t page = 0; page < shared.pages; ++page) shared.state[page].store(kFileVersion);
  pthread_t reader{};
  if (pthread_create(&reader, nullptr, read_pages, &shared) != 0)
    context.fail("cannot make the reading thread");
  context.add_target(getpid(), shared.view, shared.pages * kPageSize);
  context.spin_for_start();
  std::uint64_t version = kFileVersion;
  for (std::uint64_t round = 0; !context.stopping(); ++round) {
    table.refresh();
    // Now and then a page that is still mapped: the flush of an ordinary copy is a promise as well.
    const std::uint64_t extra = round % 16 == 0 ? round / 16 % shared.pages : shared.pages;
    for (std::uint64_t page = 0; page < shared.pages && !context.stopping(); ++page) {
      if (!table.gone(page) && page != extra) continue;
      if (table.gone(page)) promises.fetch_add(1);
      tries.fetch_add(1);
      store_version(shared, page, ++version);
    }
    sleep_ns(period);
  }
  pthread_join(reader, nullptr);
}

char* map_private(PartContext& context, const std::string& path, std::uint64_t pages, bool writable) {
  const int fd = open_page_file(context, path, O_RDONLY);
  void* at =
      mmap(nullptr, pages * kPageSize, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) context.fail("mmap %s: %s", path.c_str(), std::strerror(errno));
  madvise(at, pages * kPageSize, MADV_RANDOM);
  return static_cast<char*>(at);
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  if (pages > kMaxPages) context.fail("pages: at most %llu", static_cast<unsigned long long>(kMaxPages));
  const bool protect = context.choice("via") == "mprotect";
  const std::uint64_t settle_ticks = context.number("settle") / 1'000'000;
  for (const char* name : {"tries", "promises", "brief"}) context.metric(name);
  const std::string path = create_page_file(context, pages);
  context.fork_pinned(context.worker_cpu(1), [&] {
    static Shared shared{context,
                         context.reader_cpu(0),
                         map_private(context, path, pages, !protect),
                         pages,
                         protect,
                         settle_ticks,
                         {},
                         {}};
    store_versions(shared);
  });
  pin_to_cpu(context.worker_cpu(0));  // where reclaim runs: see VersionWatch::settle_ticks
  context.wait_for_start();
  context.supervise();
}

}  // namespace

extern const Part cow_store{.kind = PartKind::detector,
                            .name = "cow_store",
                            .summary = "after a store to a private mapping all threads must see the new page",
                            .rules = kRules,
                            .params = kParams,
                            .needs_disk = true,
                            .run = run};

}  // namespace luf::guest
