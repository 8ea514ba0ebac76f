// Injector: lets reclaim demote while the phase runs: what it would throw away migrates to the slow node instead. It
// reclaims nothing by itself; `reclaim` beside it does, and `numa_balance` in mode `tiering` brings pages back.
// Effect: pages demoted. Runs on CPU 0.
#include <dirent.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "lib/kernel_setting.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr const char* kSwitch = "/sys/kernel/mm/numa/demotion_enabled";
constexpr const char* kTiers = "/sys/devices/virtual/memory_tiering";
constexpr std::uint64_t kTick = 50'000'000;

std::uint64_t demoted() { return vmstat_sum({"pgdemote_kswapd", "pgdemote_direct", "pgdemote_khugepaged"}); }

std::string lacks(const ParamValues&) {
  unsigned tiers = 0;
  if (DIR* directory = opendir(kTiers)) {
    while (const dirent* entry = readdir(directory))
      tiers += std::string_view(entry->d_name).starts_with("memory_tier") ? 1 : 0;
    closedir(directory);
  }
  return tiers > 1 ? std::string()
                   : "no node is slower than the others: nothing can be demoted; set machine.slow_memory";
}

void run(PartContext& context) {
  auto& effects = context.metric("effects");
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  const std::uint64_t before = demoted();
  const KernelSetting on(context, kSwitch, "1");
  while (!context.stopping()) sleep_ns(kTick);
  effects.fetch_add(demoted() - before);
}

}  // namespace

extern const Part demote{.kind = PartKind::injector,
                         .name = "demote",
                         .summary = "lets reclaim move pages to the slow node while the phase runs",
                         .needs_file = kSwitch,
                         .lacks = lacks,
                         .run = run};

}  // namespace luf::guest
