// Injector: lets DAMON watch all memory while the phase runs, and page out what it takes for cold. It learns that by
// clearing accessed bits without a flush, as reclaim does: what is read through a filled TLB looks cold. Effect: bytes
// that it paged out. Set up by DAMON's files for users: its own pageout module (DAMON_RECLAIM) loses its scheme when it
// is switched on in this version of Linux. Runs on CPU 0; DAMON has a thread of its own, whose calls detectors cannot
// wait for.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "agent/kernel_files.h"
#include "lib/params.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr const char* kDirectory = "/sys/kernel/mm/damon/admin/kdamonds";
constexpr std::uint64_t kTick = 50'000'000;
constexpr std::uint64_t kAggregateUs = 5000;
constexpr std::array<Param, 1> kParams{
    {duration_param("age", 20'000'000, 5'000'000, "for which memory must look cold before it is paged out")}};

void set(PartContext& context, const std::string& path, const std::string& value) {
  const std::string problem = write_text(path, value);
  if (!problem.empty()) context.fail("%s", problem.c_str());
}

/// First address of the largest piece of RAM, and the one behind its end. "00100000-1ffdffff : System RAM".
std::pair<std::uint64_t, std::uint64_t> largest_memory() {
  std::pair<std::uint64_t, std::uint64_t> largest;
  std::string text = read_text("/proc/iomem");
  while (!text.empty()) {
    const std::string line = text.substr(0, text.find('\n'));
    text.erase(0, line.size() + 1);
    if (line.find(" : System RAM") == std::string::npos) continue;
    char* rest = nullptr;
    const std::uint64_t start = std::strtoull(line.c_str(), &rest, 16);
    const std::uint64_t end = std::strtoull(rest + 1, nullptr, 16) + 1;
    if (end - start > largest.second - largest.first) largest = {start, end};
  }
  return largest;
}

/// One thread, which watches physical memory.
std::string add_watch(PartContext& context) {
  set(context, std::string(kDirectory) + "/nr_kdamonds", "1");
  const std::string thread = std::string(kDirectory) + "/0";
  set(context, thread + "/contexts/nr_contexts", "1");
  const std::string watch = thread + "/contexts/0";
  set(context, watch + "/operations", "paddr");
  set(context, watch + "/monitoring_attrs/intervals/sample_us", "1000");
  set(context, watch + "/monitoring_attrs/intervals/aggr_us", std::to_string(kAggregateUs));
  set(context, watch + "/targets/nr_targets", "1");
  set(context, watch + "/targets/0/regions/nr_regions", "1");
  const auto [start, end] = largest_memory();
  set(context, watch + "/targets/0/regions/0/start", std::to_string(start));
  set(context, watch + "/targets/0/regions/0/end", std::to_string(end));
  return watch;
}

void add_scheme(PartContext& context, const std::string& watch, std::uint64_t age_ns) {
  set(context, watch + "/schemes/nr_schemes", "1");
  const std::string scheme = watch + "/schemes/0";
  set(context, scheme + "/action", "pageout");
  set(context, scheme + "/access_pattern/sz/min", "4096");
  set(context, scheme + "/access_pattern/sz/max", "18446744073709551615");
  set(context, scheme + "/access_pattern/age/min", std::to_string(age_ns / 1000 / kAggregateUs));
  set(context, scheme + "/access_pattern/age/max", "4294967295");
}

void run(PartContext& context) {
  auto& effects = context.metric("effects");
  const std::string watch = add_watch(context);
  add_scheme(context, watch, context.number("age"));
  const std::string state = std::string(kDirectory) + "/0/state";
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  set(context, state, "on");
  while (!context.stopping()) sleep_ns(kTick);
  set(context, state, "update_schemes_stats");
  effects.fetch_add(std::strtoull(read_text(watch + "/schemes/0/stats/sz_applied").c_str(), nullptr, 10));
  set(context, state, "off");
  set(context, std::string(kDirectory) + "/nr_kdamonds", "0");
}

}  // namespace

extern const Part damon{.kind = PartKind::injector,
                        .name = "damon",
                        .summary = "lets DAMON page out what it takes for cold while the phase runs",
                        .params = kParams,
                        .needs_file = kDirectory,
                        .run = run};

}  // namespace luf::guest
