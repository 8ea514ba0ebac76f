// Injector: switches NUMA balancing on for the phase, which the host's command line switches off since its scans flush by
// themselves: pages become inaccessible, fault, and are migrated to where they are used. Effect: page table entries
// that it changed. In mode `tiering` only pages of a slow node come back to a fast one: metric `promoted`. What was set
// before is put back. Runs on CPU 0.
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "lib/kernel_setting.h"
#include "lib/params.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr const char* kSwitch = "/proc/sys/kernel/numa_balancing";
constexpr std::uint64_t kTick = 50'000'000;
constexpr std::array<std::string_view, 2> kModes{"normal", "tiering"};
constexpr std::array<Param, 1> kParams{
    {choice_param("mode", kModes, "between equal nodes, or from a slow one")}};

void run(PartContext& context) {
  auto& effects = context.metric("effects");
  auto& migrated = context.metric("pages");
  auto& promoted = context.metric("promoted");
  const bool tiering = context.choice("mode") == "tiering";
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  const std::uint64_t updates = vmstat_sum({"numa_pte_updates"});
  const std::uint64_t pages = vmstat_sum({"numa_pages_migrated"});
  const std::uint64_t promotions = vmstat_sum({"pgpromote_success"});
  const KernelSetting on(context, kSwitch, tiering ? "2" : "1");
  while (!context.stopping()) sleep_ns(kTick);
  effects.fetch_add(vmstat_sum({"numa_pte_updates"}) - updates);
  migrated.fetch_add(vmstat_sum({"numa_pages_migrated"}) - pages);
  promoted.fetch_add(vmstat_sum({"pgpromote_success"}) - promotions);
}

}  // namespace

extern const Part numa_balance{.kind = PartKind::injector,
                               .name = "numa_balance",
                               .summary = "switches NUMA balancing on while the phase runs",
                               .params = kParams,
                               .needs_file = kSwitch,
                               .min_nodes = 2,
                               .run = run};

}  // namespace luf::guest
