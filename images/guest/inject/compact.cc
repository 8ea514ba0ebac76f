// Injector: makes the kernel compact all zones: it migrates movable pages, mapped or not, to the other end of their
// zone. Effect: pages that were migrated meanwhile.
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

constexpr const char* kFile = "/proc/sys/vm/compact_memory";
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
    const std::uint64_t before = vmstat_sum({"pgmigrate_success"});
    {
      const Unmapping unmapping(context.area(), context.index());
      const std::string problem = write_text(kFile, "1");
      if (!problem.empty()) context.fail("%s", problem.c_str());
    }
    effects.fetch_add(vmstat_sum({"pgmigrate_success"}) - before);
    passes.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace

extern const Part compact{.kind = PartKind::injector,
                          .name = "compact",
                          .summary = "compacts memory: pages are migrated within their node",
                          .params = kParams,
                          .needs_file = kFile,
                          .run = run};

}  // namespace luf::guest
