// Detector of R6 (copy-on-write): after a store to a private mapping every thread of the process sees the new
// page.
//
//   act       thread A finds that the PTE of a page of a private file mapping, which thread B reads all the
//             time, is gone (reclaim took it), makes the page writable (`via` mprotect) or has it writable
//             (`via` fault) and stores a new version: the fault installs a page of the process's own. What else
//             may lie between the two stands below
//   promise   the stores are done
//   observe   B, on another CPU, reads that version (lib/page_pair.h)
//
// After B has answered, A drops the private page (MADV_DONTNEED, which flushes) and B must see the file's
// version again. The other values of `via` are about private anonymous memory (lib/private_store.h):
//
//   free      A has given the page up (MADV_FREE), and reclaim took it: the store finds a new page, filled with zeros
//   swapoff   the page was swapped out; swapoff(2) has brought it back into another frame
//   ksm       the page was merged with another one of equal content, and swapped out; before every second store A has the
//             range unmerged and drops the other one
//   collapse  MADV_COLLAPSE has moved the page into a huge one, to which a store takes no fault
//
// Proof of R6: an older version, for `settle` and until the injectors' calls have returned. Proof
// of R1: the private version after the MADV_DONTNEED had returned. Proof of R8: a line that is not this line of
// this file. `brief` as in write_under. Cannot see: copies caused by fork; pages whose PTE is still there (the
// fault flushes them itself).
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/page_pair.h"
#include "lib/params.h"
#include "lib/private_store.h"

namespace luf::guest {

namespace {

constexpr std::uint64_t kFileVersion = 1;
constexpr std::array<std::string_view, 3> kRules{"R6", "R1", "R8"};
constexpr std::array<std::string_view, 6> kVia{"mprotect", "fault", "free", "swapoff", "ksm", "collapse"};
constexpr std::array<std::string_view, 4> kSwapped{"free", "swapoff", "ksm", "collapse"};
constexpr std::array<Param, 4> kParams{{
    pages_param(2, kMaxPairPages, "pages; every second one is stored to"),
    period_param(1'000'000, "pause between two looks at the page table"),
    via_param(kVia, "how the page comes to be stored to", kSwapped),
    settle_param(),
}};

char* map_private(PartContext& context, const std::string& path, std::uint64_t pages, bool writable) {
  const int fd = open_page_file(context, path, O_RDONLY);
  void* at =
      mmap(nullptr, pages * kPageSize, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) context.fail("mmap %s: %s", path.c_str(), std::strerror(errno));
  madvise(at, pages * kPageSize, MADV_RANDOM);
  return static_cast<char*>(at);
}

void store_versions(PartContext& context, const std::string& path, std::uint64_t pages) {
  const bool by_mprotect = context.choice("via") == "mprotect";
  const PairPromise stored{"R6", "another thread's private store was done",
                           context.number("settle") / 1'000'000};
  const PairPromise dropped{"R1", "MADV_DONTNEED of the private page had returned", std::nullopt};
  static PagePair pair(context, map_private(context, path, pages, !by_mprotect), pages);
  const auto protect = [&](char* at, int protection) {
    if (by_mprotect && mprotect(at, kPageSize, protection) != 0)
      context.fail("mprotect: %s", std::strerror(errno));
  };
  std::uint64_t version = kFileVersion;
  pair.run(kFileVersion, Absence::no_entry, [&](std::uint64_t page) {
    char* at = pair.address(page);
    pair.begin(page);
    protect(at, PROT_READ | PROT_WRITE);
    restamp_page(at, context.owner(), page, ++version);
    pair.tell(page, version, stored);
    pair.begin(page);
    protect(at, PROT_READ);
    if (madvise(at, kPageSize, MADV_DONTNEED) != 0) context.fail("MADV_DONTNEED: %s", std::strerror(errno));
    pair.tell(page, kFileVersion, dropped);
  });
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  const std::string via = context.choice("via");
  if (via != "mprotect" && via != "fault") {
    context.metric(kOccasions);
    run_pair_process(context, [&] {
      const PairPromise stored{"R6", "another thread's private store was done",
                               context.number("settle") / 1'000'000};
      run_private_stores(context, via, pages, stored);
    });
    return;
  }
  const std::string path = create_page_file(context, pages);
  run_pair_process(context, [&] { store_versions(context, path, pages); });
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
