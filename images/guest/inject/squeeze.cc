// Injector: squeezes the parts' cgroup: memory.high goes down to a share of what is in use, and up again, so that the
// parts reclaim their own pages on their way back from page faults. Effect: pages that were stolen from the cgroup's
// lists. Runs on CPU 0, outside the cgroup.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "agent/kernel_files.h"
#include "lib/params.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr const char* kHigh = "/sys/fs/cgroup/lufbed/memory.high";
constexpr const char* kCurrent = "/sys/fs/cgroup/lufbed/memory.current";
constexpr std::array<Param, 3> kParams{{
    duration_param("period", 20'000'000, 10'000, "pause between two squeezes"),
    duration_param("length", 20'000'000, 10'000, "of one squeeze"),
    {.name = "percent",
     .type = ParamType::count,
     .default_number = 75,
     .min = 1,
     .max = 99,
     .summary = "of the memory in use that is left"},
}};

/// The machine's own counters leave out what a cgroup reclaims from itself.
std::uint64_t stolen() {
  const Counters counters = parse_counters(read_text("/sys/fs/cgroup/lufbed/memory.stat"));
  const auto found = counters.find("pgsteal");
  return found != counters.end() ? found->second : 0;
}

void limit(PartContext& context, const std::string& value) {
  const std::string problem = write_text(kHigh, value);
  if (!problem.empty()) context.fail("%s", problem.c_str());
}

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  const std::uint64_t length = context.number("length");
  const std::uint64_t percent = context.number("percent");
  auto& squeezes = context.metric("squeezes");
  auto& effects = context.metric("effects");
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    const std::uint64_t used = std::strtoull(read_text(kCurrent).c_str(), nullptr, 10);
    const std::uint64_t before = stolen();
    limit(context, std::to_string(used / 100 * percent));
    sleep_ns(length);
    limit(context, "max");
    effects.fetch_add(stolen() - before);
    squeezes.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace

extern const Part squeeze{.kind = PartKind::injector,
                          .name = "squeeze",
                          .summary = "lowers memory.high of the parts' cgroup for a while, again and again",
                          .params = kParams,
                          .needs_file = kHigh,
                          .run = run};

}  // namespace luf::guest
