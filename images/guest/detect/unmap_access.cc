// Detector of R1 (unmap): once the call that took a page away has returned, every thread of the process faults
// on it or sees the new mapping.
//
//   act       thread A finds that the PTE of a page of a shared mapping, which thread B reads all the time,
//             is gone (reclaim took it), and takes exactly that page away: nothing present is left in
//             the range, so the call has no flush of its own to do
//   promise   the call has returned
//   observe   B must get SIGSEGV; with `via` map_fixed or dontunmap, zeros (lib/page_pair.h)
//
// `via` munmap, mremap (the page moves elsewhere; its old address is checked), map_fixed (an anonymous page is
// mapped over it), brk (the program break stands behind the page and shrinks to before it), shmdt (each page is a segment of
// System V shared memory) or dontunmap (mremap moves the page of swapped anonymous memory elsewhere and leaves an empty mapping
// behind, in which B must see zeros). Afterwards A maps the page again. All of them flush what is in flight, so a
// violation is one at once. Proof of R1: the old line is read, or any load succeeds where nothing is mapped.
// Proof of R8: any other line that is not the file's. Cannot see: MADV_DONTNEED (a file's page comes back the
// same; cow_store has the private case), MADV_REMOVE (revoke_data, hole).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "lib/page_pair.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R1", "R8"};
constexpr std::array<std::string_view, 6> kVia{"munmap", "map_fixed", "mremap", "brk", "shmdt", "dontunmap"};
constexpr std::array<std::string_view, 2> kSwapped{"shmdt", "dontunmap"};
constexpr std::array<Param, 3> kParams{{
    pages_param(2, kMaxPairPages, "pages of the file; every second one is unmapped"),
    period_param(1'000'000, "pause between two looks at the page table"),
    via_param(kVia, "the call that takes a page away", kSwapped),
}};

/// Shrinks the break from the end of the page to its begin; where the break really is the allocator knows. Returns false on
/// failure (errno tells).
bool shrink_break(char* at) {
  const auto begin = reinterpret_cast<std::uintptr_t>(at);
  const auto own = syscall(SYS_brk, 0);
  if (prctl(PR_SET_MM, PR_SET_MM_BRK, begin + kPageSize, 0, 0) != 0) return false;
  const bool shrunk = syscall(SYS_brk, begin) == static_cast<long>(begin);
  return prctl(PR_SET_MM, PR_SET_MM_BRK, own, 0, 0) == 0 && shrunk;
}

void take_away(PartContext& context, std::string_view via, char* at, char* elsewhere) {
  bool done = false;
  if (via == "munmap") {
    done = munmap(at, kPageSize) == 0;
  } else if (via == "mremap") {
    done = mremap(at, kPageSize, kPageSize, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == elsewhere;
  } else if (via == "dontunmap") {
    done = mremap(at, kPageSize, kPageSize, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, elsewhere) ==
           elsewhere;
  } else if (via == "brk") {
    done = shrink_break(at);
  } else if (via == "shmdt") {
    done = shmdt(at) == 0;
  } else {
    done = mmap(at, kPageSize, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
  }
  if (!done) context.fail("take a page away: %s", std::strerror(errno));
}

/// Maps page `page` read-only at that address, over whatever is there.
using MapPage = std::function<void(char* at, std::uint64_t page)>;

MapPage map_from_file(PartContext& context, std::uint64_t pages) {
  const int fd = open_page_file(context, create_page_file(context, pages), O_RDONLY);
  return [&context, fd](char* at, std::uint64_t page) {
    if (mmap(at, kPageSize, PROT_READ, MAP_SHARED | MAP_FIXED, fd, static_cast<off_t>(page * kPageSize)) !=
        at)
      context.fail("map page %llu: %s", static_cast<unsigned long long>(page), std::strerror(errno));
    madvise(at, kPageSize, MADV_RANDOM);  // and merges with its neighbours
  };
}

/// A segment that holds page `page`. It goes with this process, which keeps a second attachment.
int make_segment(PartContext& context, std::uint64_t page) {
  const int segment = shmget(IPC_PRIVATE, kPageSize, IPC_CREAT | 0600);
  void* at = segment < 0 ? nullptr : shmat(segment, nullptr, 0);
  if (segment < 0 || at == reinterpret_cast<void*>(-1))
    context.fail("make a segment of shared memory: %s", std::strerror(errno));
  fill_page(at, context.owner(), page, 1);
  shmat(segment, nullptr, SHM_RDONLY);
  shmctl(segment, IPC_RMID, nullptr);
  shmdt(at);
  return segment;
}

MapPage map_from_segments(PartContext& context, std::uint64_t pages) {
  std::vector<int> segments;
  for (std::uint64_t page = 0; page < pages; ++page) segments.push_back(make_segment(context, page));
  return [&context, segments](char* at, std::uint64_t page) {
    if (shmat(segments[page], at, SHM_RDONLY | SHM_REMAP) != at)
      context.fail("attach page %llu: %s", static_cast<unsigned long long>(page), std::strerror(errno));
  };
}

/// Anonymous memory that is read only: what comes back from swap may be unmapped without a flush. A page is made once and
/// then brought back from `elsewhere`, which stays reserved.
MapPage map_anonymous(PartContext& context, char* elsewhere) {
  static std::array<bool, kMaxPairPages> made{};
  return [&context, elsewhere](char* at, std::uint64_t page) {
    if (made[page]) {
      if (mremap(elsewhere, kPageSize, kPageSize, MREMAP_MAYMOVE | MREMAP_FIXED, at) != at ||
          mmap(elsewhere, kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
              elsewhere)
        context.fail("move a page back: %s", std::strerror(errno));
      return;
    }
    made[page] = true;
    if (mmap(at, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
      context.fail("map a page: %s", std::strerror(errno));
    fill_page(at, context.owner(), page, 1);
    if (mprotect(at, kPageSize, PROT_READ) != 0) context.fail("mprotect: %s", std::strerror(errno));
  };
}

/// Addresses at which pages may be mapped over whatever is there.
char* reserve_pages(PartContext& context, std::uint64_t pages) {
  void* at = mmap(nullptr, pages * kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap of a place for pages: %s", std::strerror(errno));
  return static_cast<char*>(at);
}

void unmap_pages(PartContext& context) {
  static constexpr PairPromise kTaken{"R1", "the call that took it away had returned", std::nullopt};
  const std::uint64_t pages = context.number("pages");
  const std::string via = context.choice("via");
  char* elsewhere = reserve_pages(context, 1);
  const MapPage map_page = via == "shmdt"       ? map_from_segments(context, pages)
                           : via == "dontunmap" ? map_anonymous(context, elsewhere)
                                                : map_from_file(context, pages);
  const Absence absence = via == "dontunmap" ? Absence::swap_entry : Absence::no_entry;
  const std::uint64_t left_behind = via == "map_fixed" || via == "dontunmap" ? kZeros : kFault;
  static PagePair pair(context, reserve_pages(context, pages), pages);
  for (std::uint64_t page = 0; page < pages; ++page) map_page(pair.address(page), page);
  pair.run(1, absence, [&](std::uint64_t page) {
    pair.begin(page);
    take_away(context, via, pair.address(page), elsewhere);
    pair.tell(page, left_behind, kTaken);
    pair.begin(page);
    map_page(pair.address(page), page);
    pair.tell(page, 1, kTaken);
  });
}

void run(PartContext& context) {
  run_pair_process(context, [&] { unmap_pages(context); });
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
