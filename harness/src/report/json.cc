#include <nlohmann/json.hpp>

#include "report/summary.h"

namespace luf::report {

std::string to_json(const std::vector<Summary>& summaries) {
  using nlohmann::ordered_json;
  ordered_json runs = ordered_json::array();
  for (const Summary& summary : summaries) {
    ordered_json run{
        {"scenario", summary.scenario},
        {"verdict", to_string(summary.verdict.outcome)},
        {"reason", summary.verdict.reason},
        {"blame", summary.verdict.blame ? ordered_json(to_string(*summary.verdict.blame)) : ordered_json()},
        {"kernel", summary.kernel},
        {"accel", summary.accel},
        {"directory", summary.directory.string()},
        {"seconds", summary.seconds},
        {"loads", summary.loads},
        {"findings", summary.findings},
        {"deferrals", summary.deferrals},
        {"flushes", summary.flushes},
        {"counters", summary.counters},
        {"notes", summary.verdict.notes},
        {"phases", ordered_json::array()}};
    for (const judge::PhaseVerdict& phase : summary.verdict.phases) {
      run["phases"].push_back(
          {{"phase", phase.phase}, {"verdict", to_string(phase.outcome)}, {"reason", phase.reason}});
    }
    runs.push_back(std::move(run));
  }
  const ordered_json document{{"version", 1}, {"exit_code", exit_code(summaries)}, {"runs", runs}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace luf::report
