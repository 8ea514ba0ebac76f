// Injector: takes a CPU down and up again, one that no detector reads on. Its processes move elsewhere, its lists of pages
// are drained, and the flushes that still name it must not wait for it. Effect: transitions that the kernel carried out.
// Runs on CPU 0. With fewer than 4 CPUs there is none to spare.
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "agent/kernel_files.h"
#include "lib/params.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<Param, 2> kParams{{
    duration_param("period", 200'000'000, 1'000'000, "pause between two removals"),
    duration_param("length", 50'000'000, 1'000'000, "for which the CPU is down"),
}};

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  const std::uint64_t length = context.number("length");
  auto& refused = context.metric("refused");
  auto& effects = context.metric("effects");
  // The highest CPU of those for writers and injectors; CPU 0 cannot go.
  const unsigned cpu = context.topology().worker_cpus() - 1;
  const std::string file = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online";
  if (!pin_to_cpu(0)) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    if (write_text(file, "0").empty()) {
      if (read_text(file) == "0\n") effects.fetch_add(1);
      sleep_ns(length);
      const std::string problem = write_text(file, "1");
      if (!problem.empty()) context.fail("the CPU does not come back: %s", problem.c_str());
    } else {
      refused.fetch_add(1);
    }
    sleep_ns(period);
  }
}

}  // namespace

extern const Part cpu_hotplug{.kind = PartKind::injector,
                              .name = "cpu_hotplug",
                              .summary = "takes a CPU down and up again",
                              .params = kParams,
                              .needs_file = "/sys/devices/system/cpu/cpu1/online",
                              .min_cpus = 4,
                              .run = run};

}  // namespace luf::guest
