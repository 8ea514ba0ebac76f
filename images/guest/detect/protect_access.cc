// Detector of R2 (permission): once mprotect(PROT_NONE) has returned, every thread of the process faults.
//
//   act       thread A finds that the PTE of a page of a shared file mapping, which thread B reads all the
//             time, is gone (reclaim took it), and forbids that page: there is no PTE whose change would be
//             flushed
//   promise   mprotect() has returned
//   observe   B must get SIGSEGV (lib/page_pair.h)
//
// Afterwards A allows reading again. mprotect flushes what is in flight, so a violation is one at once. Proof of
// R2: the load succeeds. Proof of R8: a line of a readable page that is not the file's. Cannot see: protection
// keys, userfaultfd write-protection, PROT_EXEC.
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/page_pair.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R2", "R8"};
constexpr std::array<Param, 2> kParams{{
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 48,
     .min = 2,
     .max = kMaxPairPages,
     .summary = "pages of the file; every second one is forbidden"},
    {.name = "period",
     .type = ParamType::duration,
     .default_number = 1'000'000,
     .min = 1000,
     .max = 60'000'000'000,
     .summary = "pause between two looks at the page table"},
}};

void protect_pages(PartContext& context, const std::string& path, std::uint64_t pages) {
  static constexpr PairPromise kForbidden{"R2", "mprotect(PROT_NONE) had returned", std::nullopt};
  static constexpr PairPromise kAllowed{"R2", "mprotect(PROT_READ) had returned", std::nullopt};
  const Line* view = map_page_file(context, path, pages);
  static PagePair pair(context, reinterpret_cast<char*>(const_cast<Line*>(view)), pages);
  const auto protect = [&](std::uint64_t page, int protection) {
    if (mprotect(pair.address(page), kPageSize, protection) != 0)
      context.fail("mprotect: %s", std::strerror(errno));
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
