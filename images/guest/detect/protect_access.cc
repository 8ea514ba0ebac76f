// Detector of R2 (permission): once mprotect(PROT_NONE) has returned, every thread of the process faults.
//
//   act       thread A finds that the PTE of a page of a shared file mapping, which thread B reads all the
//             time, is gone (reclaim took it), and forbids that page: there is no PTE whose change would be
//             flushed
//   promise   mprotect() has returned
//   observe   B must get SIGSEGV (lib/page_pair.h)
//
// `via` mprotect, or pkey_mprotect without a key, which needs no CPU that has keys. Afterwards A allows reading again. Both
// flush what is in flight, so a violation is one at once. Proof of R2: the load succeeds. Proof of R8: a line of a
// readable page that is not the file's. Cannot see: the keys themselves, userfaultfd write-protection (a page that may
// be written is never left to a deferred flush), PROT_EXEC.
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/page_pair.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R2", "R8"};
constexpr std::array<std::string_view, 2> kVia{"mprotect", "pkey_mprotect"};
constexpr std::array<Param, 3> kParams{{
    pages_param(2, kMaxPairPages, "pages of the file; every second one is forbidden"),
    period_param(1'000'000, "pause between two looks at the page table"),
    via_param(kVia, "the call that forbids"),
}};

void protect_pages(PartContext& context, const std::string& path, std::uint64_t pages) {
  static constexpr PairPromise kForbidden{"R2", "the call that forbade it had returned", std::nullopt};
  static constexpr PairPromise kAllowed{"R2", "the call that allowed it had returned", std::nullopt};
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

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
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
