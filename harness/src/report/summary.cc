#include "report/summary.h"

#include <algorithm>

namespace luf::report {

void add_numbers(const std::vector<guest::Event>& events, Summary& summary) {
  summary.phases = judge::gather(events);
  if (!events.empty()) summary.boot_seconds = static_cast<double>(events.front().t_ns) / 1e9;
  for (const auto& [phase, record] : summary.phases) {
    summary.loads += record.loads;
    summary.findings += record.finding_count;
    for (const auto& [name, value] : record.counters) {
      summary.counters[name] += value;
      if (name == "luf_deferred") summary.deferrals += value;
      if (is_flush_cause(name)) summary.flushes[name.substr(kFlushPrefix.size())] += value;
    }
    for (const auto& [name, value] : record.gauges)
      summary.gauges[name] = std::max(summary.gauges[name], value);
    for (const auto& [id, metrics] : record.metrics) {
      for (const auto& [name, value] : metrics) summary.metrics[id + "." + name] += value;
    }
  }
}

int exit_code(const std::vector<Summary>& summaries) {
  using judge::Outcome;
  const auto any = [&summaries](std::initializer_list<Outcome> outcomes) {
    return std::any_of(summaries.begin(), summaries.end(), [&outcomes](const Summary& summary) {
      return std::find(outcomes.begin(), outcomes.end(), summary.verdict.outcome) != outcomes.end();
    });
  };
  if (any({Outcome::kFail, Outcome::kUnexpectedPass})) return 1;
  if (summaries.empty() || any({Outcome::kInfra, Outcome::kVacuous})) return 3;
  return any({Outcome::kPass, Outcome::kKnownFailure}) ? 0 : 77;
}

}  // namespace luf::report
