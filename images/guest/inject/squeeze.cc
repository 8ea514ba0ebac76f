// Injector: squeezes the parts' cgroup: a limit goes down to a share of what is in use, and up again. Over `high` the
// parts reclaim their own pages on their way back from page faults; to keep below `max` the injector reclaims them, and
// then who allocates. Effect: pages that were stolen from the cgroup's lists. Runs on CPU 0, outside the cgroup.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "lib/params.h"
#include "lib/unmappers.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr const char* kHigh = "/sys/fs/cgroup/lufbed/memory.high";
constexpr const char* kMax = "/sys/fs/cgroup/lufbed/memory.max";
constexpr const char* kCurrent = "/sys/fs/cgroup/lufbed/memory.current";
constexpr std::array<std::string_view, 2> kLimits{"high", "max"};
constexpr std::array<Param, 4> kParams{{
    choice_param("limit", kLimits, "memory.high, or memory.max"),
    duration_param("period", 20'000'000, 10'000, "pause between two squeezes"),
    duration_param("length", 20'000'000, 10'000, "of one squeeze"),
    {.name = "percent",
     .type = ParamType::count,
     .default_number = 75,
     .min = 1,
     .max = 99,
     .summary = "that is left of the memory in use; with `max`, of the most file pages that it had"},
}};

/// The limit. Under `max` nobody may be killed for want of what cannot be reclaimed, or what is reclaimed just now and
/// soon needed again: only file pages are counted, by the most there have been.
std::uint64_t squeezed(bool hard, std::uint64_t percent, std::uint64_t& most_file) {
  const std::uint64_t used = std::strtoull(read_text(kCurrent).c_str(), nullptr, 10);
  if (!hard) return used / 100 * percent;
  const std::uint64_t file = cgroup_sum({"inactive_file", "active_file"});
  most_file = std::max(most_file, file);
  return used - std::min(file, used) + most_file / 100 * percent;
}

void set_limit(PartContext& context, const char* file, const std::string& value) {
  const std::string problem = write_text(file, value);
  if (!problem.empty()) context.fail("%s", problem.c_str());
}

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  const std::uint64_t length = context.number("length");
  const std::uint64_t percent = context.number("percent");
  const bool hard = context.choice("limit") == "max";
  const char* file = hard ? kMax : kHigh;
  std::uint64_t most_file = 0;
  auto& squeezes = context.metric("squeezes");
  auto& effects = context.metric("effects");
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    const std::uint64_t before = cgroup_sum({"pgsteal"});
    {
      const Unmapping unmapping(context.area(), context.index());
      set_limit(context, file, std::to_string(squeezed(hard, percent, most_file)));
    }
    sleep_ns(length);
    set_limit(context, file, "max");
    effects.fetch_add(cgroup_sum({"pgsteal"}) - before);
    squeezes.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace

extern const Part squeeze{
    .kind = PartKind::injector,
    .name = "squeeze",
    .summary = "lowers a memory limit of the parts' cgroup for a while, again and again",
    .params = kParams,
    .needs_file = kHigh,
    .run = run};

}  // namespace luf::guest
