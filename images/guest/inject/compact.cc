// Injector: makes the kernel compact all zones: it migrates movable pages, mapped or not, to the other end of their
// zone. Effect: pages that were migrated meanwhile.
// Runs on CPU 0, outside the parts' cgroup.
#include <array>

#include "lib/kernel_poke.h"
#include "lib/params.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr const char* kFile = "/proc/sys/vm/compact_memory";
constexpr std::array<Param, 1> kParams{
    {duration_param("period", 50'000'000, 10'000, "pause between two passes")}};

std::uint64_t migrated() { return vmstat_sum({"pgmigrate_success"}); }

void run(PartContext& context) {
  poke_kernel(context, kFile, migrated,
              [](std::uint64_t before, std::uint64_t after) { return after - before; });
}

}  // namespace

extern const Part compact{.kind = PartKind::injector,
                          .name = "compact",
                          .summary = "compacts memory: pages are migrated within their node",
                          .params = kParams,
                          .needs_file = kFile,
                          .run = run};

}  // namespace luf::guest
