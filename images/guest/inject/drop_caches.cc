// Injector: makes the kernel drop clean page cache that nobody maps, of all files. Effect: pages that left the lists of
// file pages.
// Runs on CPU 0, outside the parts' cgroup.
#include <array>

#include "lib/kernel_poke.h"
#include "lib/params.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr const char* kFile = "/proc/sys/vm/drop_caches";
constexpr std::array<Param, 1> kParams{
    {duration_param("period", 50'000'000, 10'000, "pause between two passes")}};

/// Each CPU keeps small changes to itself until it is asked.
std::uint64_t file_pages() {
  write_text("/proc/sys/vm/stat_refresh", "1");
  return vmstat_sum({"nr_inactive_file", "nr_active_file"});
}

void run(PartContext& context) {
  poke_kernel(context, kFile, file_pages,
              [](std::uint64_t before, std::uint64_t after) { return before > after ? before - after : 0; });
}

}  // namespace

extern const Part drop_caches{.kind = PartKind::injector,
                              .name = "drop_caches",
                              .summary = "drops clean page cache, again and again",
                              .params = kParams,
                              .needs_file = kFile,
                              .run = run};

}  // namespace luf::guest
