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
// Afterwards the writer drops its mapping of the page (MADV_DONTNEED) and writes it back, so that the page is
// clean and mapped read-only again: only such a page is reclaimed or moved without a flush. Proof, `settle`
// and `brief`: as in write_under. `tries` counts all stores of a version, `promises` those to pages that were
// not in the page cache before. Cannot see: aliases other than a shared file mapping; a page that never
// leaves the writer's page table.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/residency.h"
#include "lib/version_watch.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R5", "R8"};
constexpr std::array<Param, 3> kParams{{
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
     .summary = "pause between two stores"},
    {.name = "settle",
     .type = ParamType::duration,
     .default_number = 5'000'000,
     .max = 60'000'000'000,
     .summary = "how long old data must stay readable to be a finding, in steps of 1 ms"},
}};

char* map_writable(PartContext& context, int fd, std::uint64_t pages) {
  void* at = mmap(nullptr, pages * kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) context.fail("mmap of the writable alias: %s", std::strerror(errno));
  madvise(at, pages * kPageSize, MADV_RANDOM);
  return static_cast<char*>(at);
}

void store_versions(PartContext& context, const std::string& path, std::uint64_t pages,
                    CommittedVersions& committed) {
  auto& tries = context.metric("tries");
  auto& promises = context.metric("promises");
  const std::uint64_t period = context.number("period");
  const int fd = open_page_file(context, path, O_RDWR);
  char* alias = map_writable(context, fd, pages);
  context.spin_for_start();
  for (std::uint64_t round = 0; !context.stopping(); ++round) {
    const auto away = uncached_pages(alias, pages);
    if (!away.empty()) promises.fetch_add(1);
    const std::uint64_t page = away.empty() ? (round * 7) % pages : away[round % away.size()];
    char* at = alias + page * kPageSize;
    const std::uint64_t version = committed.version[page].load(std::memory_order_relaxed) + 1;
    restamp_page(at, context.owner(), page, version);                   // act; the promise holds from here
    committed.version[page].store(version, std::memory_order_release);  // publish
    tries.fetch_add(1);
    madvise(at, kPageSize, MADV_DONTNEED);
    sync_file_range(fd, static_cast<off_t>(page * kPageSize), kPageSize,
                    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    sleep_ns(period);
  }
}

void run(PartContext& context) {
  context.metric("tries");
  context.metric("promises");
  run_version_watch(context, "R5", "the stores through another mapping were done", store_versions);
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
