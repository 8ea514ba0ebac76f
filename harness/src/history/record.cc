#include "history/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace luf::history {

std::string_view to_string(State state) {
  switch (state) {
    case State::kRunning:
      return "running";
    case State::kFinished:
      return "finished";
    case State::kOutOfTime:
      return "out_of_time";
    case State::kInterrupted:
      return "interrupted";
  }
  return "running";
}

bool is_kept(const std::string& counter) {
  constexpr std::string_view kPrefixes[] = {"luf_",     "ipi_",    "nr_tlb_", "pgmigrate_",
                                            "pgsteal_", "pgscan_", "pgfault", "pgmajfault"};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&counter](std::string_view prefix) { return counter.starts_with(prefix); });
}

std::size_t Case::bad() const {
  return static_cast<std::size_t>(
      std::count_if(attempts.begin(), attempts.end(), [](const Run& run) { return run.is_bad(); }));
}

std::string Case::title() const {
  const Run& run = first();
  return fmt::format("{} · {} · {} · {} CPUs · seed {}", run.scenario, run.kernel, run.points, run.cpus,
                     run.seed);
}

std::vector<Case> cases_of(const std::vector<Run>& runs) {
  std::map<std::string, Case> by_key;
  for (const Run& run : runs) by_key[run.key].attempts.push_back(run);
  std::vector<Case> cases;
  for (auto& [key, one] : by_key) {
    std::sort(one.attempts.begin(), one.attempts.end(),
              [](const Run& a, const Run& b) { return a.attempt < b.attempt; });
    cases.push_back(std::move(one));
  }
  const auto order = [](const Case& one) {
    const Run& run = one.first();
    return std::tie(run.scenario, run.kernel, run.points, run.cpus, run.seed, run.key);
  };
  std::sort(cases.begin(), cases.end(), [&](const Case& a, const Case& b) { return order(a) < order(b); });
  return cases;
}

}  // namespace luf::history
