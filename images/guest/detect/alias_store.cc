// Detector of R5 (alias write): a store through a writable mapping is seen through every other mapping of the
// page.
//
//   act       the writer (its own process and CPU) stores a new version through its shared writable mapping;
//             the page was not mapped there, so the store faults and the kernel must flush before it makes
//             the page writable
//   promise   the stores are done
//   publish   the writer stores that version in shared memory (release)
//   observe   the reader (another address space and CPU) loads it (acquire), then the line through its own
//             mapping
//
// `via` fault: afterwards the writer drops its mapping of the page (MADV_DONTNEED) and writes it back, so that
// the page is clean and mapped read-only again: only such a page is reclaimed or moved without a flush. `via`
// held: the writer keeps all pages mapped writable and stores without a fault, on the CPU where `migrate` runs,
// so that no other CPU uses its address space and its entry is flushed at once when a page is moved; what the
// reader's entry then shows is old from the next store on. `via` sealed and sealed_future: each page is a memfd of its own, and
// the reader a thread of the same process (lib/page_pair.h). sealed writes the next version with pwrite and then seals
// (F_SEAL_WRITE): from then on the content is final, which is a promise of R3. sealed_future seals (F_SEAL_FUTURE_WRITE) and
// then stores through a mapping made before, to which such a seal does nothing. Afterwards another memfd takes its place. `by` says what stores (lib/page_store.h). Proof, `settle` and `brief`: as in write_under. `tries`
// counts all stores of a version, `promises` those to pages that were not in the page cache before, and with
// `held` those to pages that had been moved since their last one. Cannot see: aliases other than a shared file
// mapping.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/doorbell.h"
#include "lib/page_pair.h"
#include "lib/page_store.h"
#include "lib/params.h"
#include "lib/residency.h"
#include "lib/version_watch.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 3> kRules{"R5", "R3", "R8"};
constexpr std::array<std::string_view, 4> kVia{"fault", "held", "sealed", "sealed_future"};
constexpr std::array<std::string_view, 2> kSwapped{"sealed", "sealed_future"};
constexpr std::array<Param, 5> kParams{{
    pages_param(1, kMaxWatchedPages, "pages of the file"),
    period_param(2'000'000, "pause between two stores"),
    via_param(kVia, "map the page writable for each store, keep all pages mapped writable, or seal them",
              kSwapped),
    choice_param("by", kStoreBy, "what stores: the program, or the kernel on its behalf"),
    settle_param(),
}};

char* map_writable(PartContext& context, int fd, std::uint64_t pages) {
  void* at = mmap(nullptr, pages * kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) context.fail("mmap of the writable alias: %s", std::strerror(errno));
  madvise(at, pages * kPageSize, MADV_RANDOM);
  return static_cast<char*>(at);
}

/// act, promise and publication.
void store_version(PartContext& context, const PageStore& store, char* alias, std::uint64_t page,
                   CommittedVersions& committed) {
  const std::uint64_t version = committed.version[page].load(std::memory_order_relaxed) + 1;
  ring_mark(act_mark(context.index(), page, version));
  store(alias, page, version);
  committed.version[page].store(version, std::memory_order_release);
  context.metric("tries").fetch_add(1);
}

void store_without_fault(PartContext& context, const std::string& path, std::uint64_t pages,
                         CommittedVersions& committed) {
  auto& promises = context.metric("promises");
  const std::uint64_t period = context.number("period");
  char* alias = map_writable(context, open_page_file(context, path, O_RDWR), pages);
  const unsigned cpu = context.worker_cpu(context.topology().worker_cpus() - 1);  // that of `migrate`
  if (!pin_to_cpu(cpu)) context.fail("pin to CPU %u: %s", cpu, std::strerror(errno));
  const PageStore store = open_page_store(context, context.choice("by"));
  PageTableView table(context, alias, pages);
  std::array<std::uint64_t, kMaxWatchedPages> frame{};
  context.spin_for_start();
  while (!context.stopping()) {
    table.refresh();
    for (std::uint64_t page = 0; page < pages; ++page) {
      if (table.frame(page) != frame[page]) promises.fetch_add(1);
      frame[page] = table.frame(page);
      store_version(context, store, alias, page, committed);
    }
    sleep_ns(period);
  }
}

void store_versions(PartContext& context, const std::string& path, std::uint64_t pages,
                    CommittedVersions& committed) {
  auto& promises = context.metric("promises");
  const std::uint64_t period = context.number("period");
  const int fd = open_page_file(context, path, O_RDWR);
  char* alias = map_writable(context, fd, pages);
  const PageStore store = open_page_store(context, context.choice("by"));
  context.spin_for_start();
  for (std::uint64_t round = 0; !context.stopping(); ++round) {
    const auto away = uncached_pages(alias, pages);
    if (!away.empty()) promises.fetch_add(1);
    const std::uint64_t page = away.empty() ? (round * 7) % pages : away[round % away.size()];
    store_version(context, store, alias, page, committed);
    madvise(alias + page * kPageSize, kPageSize, MADV_DONTNEED);
    sync_file_range(fd, static_cast<off_t>(page * kPageSize), kPageSize,
                    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    sleep_ns(period);
  }
}

void write_page(PartContext& context, int fd, std::uint64_t page, std::uint64_t version) {
  alignas(kPageSize) static std::uint64_t data[kPageSize / sizeof(std::uint64_t)];
  fill_page(data, context.owner(), page, version);
  if (pwrite(fd, data, kPageSize, 0) != static_cast<ssize_t>(kPageSize))
    context.fail("write to a memfd: %s", std::strerror(errno));
}

/// One page in that version, mapped at `at` in a way that can never become writable.
int map_memfd(PartContext& context, char* at, std::uint64_t page, std::uint64_t version) {
  const int fd = memfd_create("lufbed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) context.fail("memfd_create: %s", std::strerror(errno));
  write_page(context, fd, page, version);
  const int read_only = open_page_file(context, "/proc/self/fd/" + std::to_string(fd), O_RDONLY);
  if (mmap(at, kPageSize, PROT_READ, MAP_SHARED | MAP_FIXED, read_only, 0) != at)
    context.fail("mmap of a memfd: %s", std::strerror(errno));
  close(read_only);
  return fd;
}

void seal(PartContext& context, int fd, int seals) {
  // Busy while somebody holds a reference to the page, as reclaim does.
  while (fcntl(fd, F_ADD_SEALS, seals) != 0) {
    if (errno != EBUSY || context.stopping()) context.fail("F_ADD_SEALS: %s", std::strerror(errno));
  }
}

void seal_pages(PartContext& context, std::uint64_t pages, bool future) {
  const std::uint64_t settle_ms = context.number("settle") / 1'000'000;
  const PairPromise promise =
      future ? PairPromise{"R5", "the stores through another mapping were done", settle_ms}
             : PairPromise{"R3", "a write to it was over and F_SEAL_WRITE was set", settle_ms};
  void* view = mmap(nullptr, pages * kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (view == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  static PagePair pair(context, static_cast<char*>(view), pages);
  std::array<int, kMaxPairPages> fd{};
  for (std::uint64_t page = 0; page < pages; ++page)
    fd[page] = map_memfd(context, pair.address(page), page, 1);
  const PageStore store = open_page_store(context, context.choice("by"));
  std::uint64_t version = 1;
  pair.run(version, Absence::no_entry, [&](std::uint64_t page) {
    // `alias` is where the file would begin if it held all pages.
    char* alias = future ? map_writable(context, fd[page], 1) - page * kPageSize : nullptr;
    pair.begin(page);
    if (future) {
      seal(context, fd[page], F_SEAL_FUTURE_WRITE);
      store(alias, page, ++version);
    } else {
      write_page(context, fd[page], page, ++version);
      seal(context, fd[page], F_SEAL_WRITE);
    }
    pair.tell(page, version, promise);
    pair.begin(page);
    if (future) munmap(alias + page * kPageSize, kPageSize);
    close(fd[page]);
    fd[page] = map_memfd(context, pair.address(page), page, version);
    pair.tell(page, version, promise);
  });
}

void run(PartContext& context) {
  const std::string via = context.choice("via");
  if (via.starts_with("sealed")) {
    run_pair_process(context, [&] { seal_pages(context, context.number("pages"), via == "sealed_future"); });
    return;
  }
  context.metric("tries");
  context.metric("promises");
  const std::string path = create_page_file(context, context.number("pages"));
  run_version_watch(context, path,
                    {"R5", "the stores through another mapping were done",
                     via == "held" ? store_without_fault : store_versions});
}

}  // namespace

extern const Part alias_store{.kind = PartKind::detector,
                              .name = "alias_store",
                              .summary = "a store through one shared mapping must show through all others",
                              .rules = kRules,
                              .params = kParams,
                              .needs_disk = true,
                              .run = run};

}  // namespace luf::guest
