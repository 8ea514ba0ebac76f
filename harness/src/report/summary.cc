#include "report/summary.h"

#include <algorithm>

namespace luf::report {

void add_numbers(const std::vector<guest::Event>& events, Summary& summary) {
  constexpr std::string_view kFlush = "luf_flush_";
  summary.phases = judge::gather(events);
  for (const auto& [phase, record] : summary.phases) {
    summary.loads += record.loads;
    summary.findings += record.finding_count;
    for (const auto& [name, value] : record.counters) {
      summary.counters[name] += value;
      if (name == "luf_deferred") summary.deferrals += value;
      if (name.starts_with(kFlush)) summary.flushes[name.substr(kFlush.size())] += value;
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
