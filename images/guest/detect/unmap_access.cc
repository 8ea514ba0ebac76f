// Detector of R1 (unmap): once the call that took a page away has returned, every thread of the process faults
// on it or sees the new mapping.
//
//   act       thread A finds that the PTE of a page of a shared file mapping, which thread B reads all the
//             time, is gone (reclaim took it), and takes exactly that page away: nothing present is left in
//             the range, so the call has no flush of its own to do
//   promise   the call has returned
//   observe   B must get SIGSEGV; with `via` map_fixed, zeros (lib/page_pair.h)
//
// `via` munmap, mremap (the page moves elsewhere; its old address is checked) or map_fixed (an anonymous page is
// mapped over it). Afterwards A maps the page of the file again. All of them flush what is in flight, so a
// violation is one at once. Proof of R1: the old line is read, or any load succeeds where nothing is mapped.
// Proof of R8: any other line that is not the file's. Cannot see: MADV_DONTNEED (a file's page comes back the
// same; cow_store has the private case), MADV_REMOVE (revoke_data, hole), shmdt, brk.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/page_pair.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R1", "R8"};
constexpr std::array<std::string_view, 3> kVia{"munmap", "map_fixed", "mremap"};
constexpr std::array<Param, 3> kParams{{
    pages_param(2, kMaxPairPages, "pages of the file; every second one is unmapped"),
    period_param(1'000'000, "pause between two looks at the page table"),
    via_param(kVia, "the call that takes a page away"),
}};

void take_away(PartContext& context, std::string_view via, char* at, char* elsewhere) {
  bool done = false;
  if (via == "munmap") {
    done = munmap(at, kPageSize) == 0;
  } else if (via == "mremap") {
    done = mremap(at, kPageSize, kPageSize, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == elsewhere;
  } else {
    done = mmap(at, kPageSize, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
  }
  if (!done) context.fail("take a page away: %s", std::strerror(errno));
}

void map_again(PartContext& context, int fd, char* at, std::uint64_t page) {
  void* again =
      mmap(at, kPageSize, PROT_READ, MAP_SHARED | MAP_FIXED, fd, static_cast<off_t>(page * kPageSize));
  if (again != at)
    context.fail("map page %llu again: %s", static_cast<unsigned long long>(page), std::strerror(errno));
  madvise(at, kPageSize, MADV_RANDOM);  // and merges with its neighbours
}

/// An address at which a page may be mapped over whatever is there.
char* reserve_page(PartContext& context) {
  void* at = mmap(nullptr, kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap of a place to move to: %s", std::strerror(errno));
  return static_cast<char*>(at);
}

void unmap_pages(PartContext& context, const std::string& path, std::uint64_t pages) {
  static constexpr PairPromise kTaken{"R1", "the call that took it away had returned", std::nullopt};
  const std::string via = context.choice("via");
  const int fd = open_page_file(context, path, O_RDONLY);
  char* elsewhere = reserve_page(context);
  const Line* view = map_page_file(context, path, pages);
  static PagePair pair(context, reinterpret_cast<char*>(const_cast<Line*>(view)), pages);
  pair.run(1, Absence::no_entry, [&](std::uint64_t page) {
    pair.begin(page);
    take_away(context, via, pair.address(page), elsewhere);
    pair.tell(page, via == "map_fixed" ? kZeros : kFault, kTaken);
    pair.begin(page);
    map_again(context, fd, pair.address(page), page);
    pair.tell(page, 1, kTaken);
  });
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  const std::string path = create_page_file(context, pages);
  run_pair_process(context, [&] { unmap_pages(context, path, pages); });
}

}  // namespace

extern const Part unmap_access{
    .kind = PartKind::detector,
    .name = "unmap_access",
    .summary = "after munmap and its like have returned, a thread must not reach the page",
    .rules = kRules,
    .params = kParams,
    .needs_disk = true,
    .run = run};

}  // namespace luf::guest
