// Injector: switches NUMA balancing on for the phase, which the host's command line switches off since its scans flush by
// themselves: pages become inaccessible, fault, and are migrated to where they are used. Effect: page table entries
// that it changed. What was set before is put back. Runs on CPU 0.
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "lib/part_context.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr const char* kSwitch = "/proc/sys/kernel/numa_balancing";
constexpr std::uint64_t kTick = 50'000'000;

void run(PartContext& context) {
  auto& effects = context.metric("effects");
  auto& migrated = context.metric("pages");
  const std::string before = read_text(kSwitch);
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  const std::uint64_t updates = vmstat_sum({"numa_pte_updates"});
  const std::uint64_t pages = vmstat_sum({"numa_pages_migrated"});
  const std::string problem = write_text(kSwitch, "1");
  if (!problem.empty()) context.fail("%s", problem.c_str());
  while (!context.stopping()) sleep_ns(kTick);
  write_text(kSwitch, before);
  effects.fetch_add(vmstat_sum({"numa_pte_updates"}) - updates);
  migrated.fetch_add(vmstat_sum({"numa_pages_migrated"}) - pages);
}

}  // namespace

extern const Part numa_balance{.kind = PartKind::injector,
                               .name = "numa_balance",
                               .summary = "switches NUMA balancing on while the phase runs",
                               .needs_file = kSwitch,
                               .min_nodes = 2,
                               .run = run};

}  // namespace luf::guest
