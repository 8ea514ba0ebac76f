// Detector of R2 (permission): once mprotect(PROT_NONE) has returned, every thread of the process faults; once
// userfaultfd has write-protected a page, every store does.
//
//   act       thread A finds that the PTE of a page of a shared file mapping, which thread B reads all the
//             time, is gone (reclaim took it), and forbids that page: there is no PTE whose change would be
//             flushed
//   promise   mprotect() has returned
//   observe   B must get SIGSEGV (lib/page_pair.h)
//
// `via` mprotect, or pkey_mprotect without a key, which needs no CPU that has keys. `via` uffd_wp is UFFDIO_WRITEPROTECT of
// private anonymous memory that was swapped out: B stores to it all the time (what is there anyway) and must get SIGBUS. What
// may be written is never left to a deferred flush, so it takes two mistakes of the kernel to break that. Afterwards A
// allows the access again. All flush what is in flight, so a violation is one at once. Proof of R2: the access succeeds. Proof
// of R8: a line of an accessible page that is not the page's. Cannot see: the keys themselves, PROT_EXEC.
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/anonymous_pages.h"
#include "lib/guarded_load.h"
#include "lib/page_pair.h"
#include "lib/params.h"
#include "lib/userfault.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R2", "R8"};
constexpr std::array<std::string_view, 3> kVia{"mprotect", "pkey_mprotect", "uffd_wp"};
constexpr std::array<std::string_view, 1> kSwapped{"uffd_wp"};
constexpr std::array<Param, 3> kParams{{
    pages_param(2, kMaxPairPages, "pages of the file; every second one is forbidden"),
    period_param(1'000'000, "pause between two looks at the page table"),
    via_param(kVia, "the call that forbids", kSwapped),
}};

constexpr PairPromise kForbidden{"R2", "the call that forbade it had returned", std::nullopt};
constexpr PairPromise kAllowed{"R2", "the call that allowed it had returned", std::nullopt};

void protect_pages(PartContext& context, const std::string& path, std::uint64_t pages) {
  const bool by_key = context.choice("via") == "pkey_mprotect";
  const Line* view = map_page_file(context, path, pages);
  static PagePair pair(context, reinterpret_cast<char*>(const_cast<Line*>(view)), pages);
  const auto protect = [&](std::uint64_t page, int protection) {
    char* at = pair.address(page);
    if ((by_key ? pkey_mprotect(at, kPageSize, protection, -1) : mprotect(at, kPageSize, protection)) != 0)
      context.fail("change the protection: %s", std::strerror(errno));
  };
  pair.run(1, Absence::no_entry, [&](std::uint64_t page) {
    pair.begin(page);
    protect(page, PROT_NONE);
    pair.tell(page, kFault, kForbidden);
    pair.begin(page);
    protect(page, PROT_READ);
    pair.tell(page, 1, kAllowed);
  });
}

void write_protect_pages(PartContext& context, std::uint64_t pages) {
  // A kernel that is made to defer what may be written must not do so to the stacks of A and B.
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) context.fail("mlockall: %s", std::strerror(errno));
  char* view = map_anonymous_pages(context, pages);
  if (munlock(view, pages * kPageSize) != 0) context.fail("munlock: %s", std::strerror(errno));
  const int fd = open_userfaultfd(context, UFFD_FEATURE_SIGBUS | UFFD_FEATURE_PAGEFAULT_FLAG_WP);
  register_userfault(context, fd, view, pages * kPageSize, UFFDIO_REGISTER_MODE_WP);
  static PagePair pair(context, view, pages, 0, guarded_store);
  pair.run(1, Absence::swap_entry, [&](std::uint64_t page) {
    pair.begin(page);
    write_protect(context, fd, pair.address(page), kPageSize);
    pair.tell(page, kFault, kForbidden);
    pair.begin(page);
    write_protect(context, fd, pair.address(page), kPageSize, false);
    pair.tell(page, 1, kAllowed);
  });
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  if (context.choice("via") == "uffd_wp") {
    run_pair_process(context, [&] { write_protect_pages(context, pages); });
    return;
  }
  const std::string path = create_page_file(context, pages);
  run_pair_process(context, [&] { protect_pages(context, path, pages); });
}

}  // namespace

extern const Part protect_access{.kind = PartKind::detector,
                                 .name = "protect_access",
                                 .summary = "after mprotect(PROT_NONE) has returned, every thread must fault",
                                 .rules = kRules,
                                 .params = kParams,
                                 .needs_disk = true,
                                 .run = run};

}  // namespace luf::guest
