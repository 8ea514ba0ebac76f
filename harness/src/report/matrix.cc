#include "report/matrix.h"

#include <algorithm>
#include <set>

#include "base/units.h"

namespace luf::report {
namespace {

using judge::Outcome;

std::string detector_of(const scenario::Scenario& scenario, const std::string& id) {
  for (const scenario::Part& part : scenario.parts) {
    if (part.id == id) return part.name;
  }
  return id;  // the agent
}

std::vector<std::string> detectors_in(const scenario::Scenario& scenario) {
  std::set<std::string> names;
  for (const scenario::Part& part : scenario.parts) {
    if (part.kind == scenario::PartKind::kDetector) names.insert(part.name);
  }
  return {names.begin(), names.end()};
}

const judge::PhaseVerdict* verdict_on(const Summary& summary, const std::string& phase) {
  const auto& phases = summary.verdict.phases;
  const auto found = std::find_if(phases.begin(), phases.end(),
                                  [&phase](const judge::PhaseVerdict& one) { return one.phase == phase; });
  return found == phases.end() ? nullptr : &*found;
}

Trial trial_of(const MatrixGuest& guest, const scenario::Phase& phase, const judge::PhaseVerdict& verdict) {
  Trial trial;
  trial.seed = guest.scenario.seed;
  trial.outcome = verdict.outcome;
  trial.reason = verdict.reason;
  trial.directory = guest.summary.directory.string();
  const auto record = guest.summary.phases.find(phase.name);
  if (record == guest.summary.phases.end() || record->second.findings.empty()) return trial;
  const judge::Finding& first = record->second.findings.front();
  trial.rule = first.rule;
  trial.detector = detector_of(guest.scenario, first.part);
  trial.detail = first.detail;
  trial.after_ms = first.after_ms;
  trial.loads = first.loads;
  const auto metrics = record->second.metrics.find(first.part);
  if (metrics != record->second.metrics.end() && metrics->second.contains("tries"))
    trial.tries = metrics->second.at("tries");
  return trial;
}

Cell& cell_of(std::vector<Cell>& cells, const MatrixGuest& guest, const scenario::Phase& phase) {
  const std::string fault = scenario::fault_name(guest.scenario, phase);
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const Cell& cell) {
    return cell.fault == fault && cell.scenario == guest.name;
  });
  if (found != cells.end()) return *found;
  return cells.emplace_back(Cell{fault, guest.name, phase.expect, detectors_in(guest.scenario), {}});
}

void take_quiet(const MatrixGuest& guest, const scenario::Phase& phase, const judge::PhaseVerdict& verdict,
                Quiet& quiet) {
  ++quiet.phases;
  if (verdict.outcome == Outcome::kFail)
    quiet.alarms.push_back(fmt::format("{} seed {}: {} ({})", guest.name, guest.scenario.seed, verdict.reason,
                                       guest.summary.directory.string()));
  const auto found = guest.summary.phases.find(phase.name);
  if (found == guest.summary.phases.end()) return;
  const judge::PhaseRecord& record = found->second;
  quiet.guest_ms += record.elapsed_ms;
  quiet.loads += record.loads;
  quiet.tries += judge::sum_of(record, "tries");
  quiet.promises += judge::sum_of(record, "promises");
  const auto deferred = record.counters.find("luf_deferred");
  if (deferred != record.counters.end()) quiet.deferrals += deferred->second;
}

/// The oracle does not count by phases: a guest with a fault has no place here.
void take_oracle(const MatrixGuest& guest, Quiet& quiet) {
  const auto& phases = guest.scenario.phases;
  const auto& report = guest.summary.oracle;
  if (!report || !report->complete || !std::all_of(phases.begin(), phases.end(), scenario::is_silent)) return;
  if (!quiet.oracle)
    quiet.oracle = judge::OracleReport{.complete = true, .level = report->level, .findings = {}};
  judge::add_counts(*report, *quiet.oracle);
}

void take(const MatrixGuest& guest, const scenario::Phase& phase, Matrix& matrix) {
  const judge::PhaseVerdict* verdict = verdict_on(guest.summary, phase.name);
  if (verdict == nullptr || verdict->outcome == Outcome::kInfra || verdict->outcome == Outcome::kSkip ||
      (verdict->outcome == Outcome::kVacuous && phase.expect != scenario::kAny)) {
    matrix.useless.push_back(
        fmt::format("{} seed {}, phase {}: {} ({})", guest.name, guest.scenario.seed, phase.name,
                    verdict == nullptr ? guest.summary.verdict.reason
                                       : fmt::format("{}: {}", to_string(verdict->outcome), verdict->reason),
                    guest.summary.directory.string()));
    return;
  }
  if (scenario::is_silent(phase)) return take_quiet(guest, phase, *verdict, matrix.quiet);
  std::vector<Cell>& cells = phase.expect == scenario::kAny ? matrix.others : matrix.cells;
  cell_of(cells, guest, phase).trials.push_back(trial_of(guest, phase, *verdict));
}

/// A panic, a hang or damage that no phase shows.
void take_run(const MatrixGuest& guest, Matrix& matrix) {
  if (guest.summary.verdict.outcome != Outcome::kFail) return;
  const auto& phases = guest.summary.verdict.phases;
  if (std::any_of(phases.begin(), phases.end(),
                  [](const judge::PhaseVerdict& phase) { return phase.outcome == Outcome::kFail; }))
    return;
  matrix.quiet.alarms.push_back(fmt::format("{} seed {}: {} ({})", guest.name, guest.scenario.seed,
                                            guest.summary.verdict.reason, guest.summary.directory.string()));
}

void find_holes(bool whole, Matrix& matrix) {
  std::set<std::string> planted;
  for (const Cell& cell : matrix.cells) {
    planted.insert(cell.fault);
    if (cell.kills() == cell.trials.size()) continue;
    std::string what =
        fmt::format("seen in {} of {} guests of {}", cell.kills(), cell.trials.size(), cell.scenario);
    for (const Trial& trial : cell.trials) {
      if (trial.outcome != Outcome::kPass)
        what += fmt::format("; seed {}: {} ({})", trial.seed, trial.reason, trial.directory);
    }
    matrix.holes.push_back({cell.fault, what, scenario::why_it_survives(cell.fault)});
  }
  for (const std::string& fault : scenario::fault_names()) {
    if (whole && !planted.contains(fault))
      matrix.holes.push_back({fault, "no scenario planted it", scenario::why_it_survives(fault)});
  }
}

}  // namespace

std::size_t Cell::kills() const {
  return static_cast<std::size_t>(std::count_if(trials.begin(), trials.end(), [this](const Trial& trial) {
    return !trial.rule.empty() && (expected == scenario::kAny || trial.outcome == Outcome::kPass);
  }));
}

double Cell::median_ms() const {
  std::vector<double> times;
  for (const Trial& trial : trials) {
    if (trial.timed()) times.push_back(static_cast<double>(trial.after_ms));
  }
  if (times.empty()) return 0;
  std::sort(times.begin(), times.end());
  const std::size_t middle = times.size() / 2;
  return times.size() % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
}

Matrix tabulate(const std::vector<MatrixGuest>& guests, bool whole) {
  Matrix matrix;
  std::set<std::int64_t> seeds;
  for (const MatrixGuest& guest : guests) {
    seeds.insert(guest.scenario.seed);
    const std::size_t useless = matrix.useless.size();
    for (const scenario::Phase& phase : guest.scenario.phases) take(guest, phase, matrix);
    take_run(guest, matrix);
    if (matrix.useless.size() == useless) take_oracle(guest, matrix.quiet);
  }
  matrix.quiet.seeds = seeds.size();
  find_holes(whole, matrix);
  return matrix;
}

bool all_idle_noticed(const std::vector<MatrixGuest>& guests) {
  return !guests.empty() && std::all_of(guests.begin(), guests.end(), [](const MatrixGuest& guest) {
    return guest.summary.verdict.outcome == Outcome::kVacuous;
  });
}

int exit_code(const Matrix& matrix) {
  const bool open = std::any_of(matrix.holes.begin(), matrix.holes.end(),
                                [](const Hole& hole) { return hole.accepted.empty(); });
  if (open || !matrix.quiet.alarms.empty()) return 1;
  const bool anything = !matrix.cells.empty() || matrix.quiet.phases > 0;
  return matrix.useless.empty() && anything ? 0 : 3;
}

}  // namespace luf::report
