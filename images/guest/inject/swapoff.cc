// Injector: takes the swap away and gives it back at once: the kernel reads in all that was swapped, of tmpfs and of
// anonymous memory, and maps it again. Effect: pages that were swapped in meanwhile.
// Runs on CPU 0, outside the parts' cgroup.
#include <sys/swap.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/params.h"
#include "lib/part_context.h"
#include "lib/swap_device.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr std::array<Param, 1> kParams{
    {duration_param("period", 100'000'000, 10'000, "pause between two removals")}};

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  auto& removals = context.metric("removals");
  auto& effects = context.metric("effects");
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    const std::uint64_t before = vmstat_sum({"pswpin"});
    if (::swapoff(kSwapDevice) != 0) context.fail("swapoff %s: %s", kSwapDevice, std::strerror(errno));
    effects.fetch_add(vmstat_sum({"pswpin"}) - before);
    if (swapon(kSwapDevice, 0) != 0) context.fail("swapon %s: %s", kSwapDevice, std::strerror(errno));
    removals.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace

extern const Part swapoff{.kind = PartKind::injector,
                          .name = "swapoff",
                          .summary = "takes the swap away and gives it back, again and again",
                          .params = kParams,
                          .needs_swap = true,
                          .run = run};

}  // namespace luf::guest
