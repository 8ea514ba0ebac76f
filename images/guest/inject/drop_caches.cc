// Injector: makes the kernel drop clean page cache that nobody maps, of all files. Effect: pages that left the lists of
// file pages.
// Runs on CPU 0, outside the parts' cgroup.
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "lib/part_context.h"
#include "lib/unmappers.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr const char* kFile = "/proc/sys/vm/drop_caches";
constexpr std::array<Param, 1> kParams{{
    {.name = "period",
     .type = ParamType::duration,
     .default_number = 50'000'000,
     .min = 10'000,
     .max = 60'000'000'000,
     .summary = "pause between two passes"},
}};

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  auto& passes = context.metric("passes");
  auto& effects = context.metric("effects");
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    const std::uint64_t before = vmstat_sum({"nr_inactive_file", "nr_active_file"});
    {
      const Unmapping unmapping(context.area(), context.index());
      const std::string problem = write_text(kFile, "1");
      if (!problem.empty()) context.fail("%s", problem.c_str());
    }
    const std::uint64_t after = vmstat_sum({"nr_inactive_file", "nr_active_file"});
    effects.fetch_add(before > after ? before - after : 0);
    passes.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace

extern const Part drop_caches{.kind = PartKind::injector,
                              .name = "drop_caches",
                              .summary = "drops clean page cache, again and again",
                              .params = kParams,
                              .needs_file = kFile,
                              .run = run};

}  // namespace luf::guest
