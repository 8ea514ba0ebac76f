#include "judge/phase.h"

#include <algorithm>

#include "base/units.h"
#include "protocol/event.h"

namespace luf::judge {
namespace {

namespace event = protocol::event;

bool is_expected(const scenario::Phase& phase, const Finding& finding) {
  return phase.expect == scenario::kAny || finding.rule == phase.expect;
}

const Finding* first_violation(const scenario::Phase& phase, const PhaseRecord& record) {
  const auto found = std::find_if(record.findings.begin(), record.findings.end(),
                                  [&phase](const Finding& finding) { return !is_expected(phase, finding); });
  return found != record.findings.end() ? &*found : nullptr;
}

bool has_detectors(const scenario::Scenario& scenario) {
  return std::any_of(scenario.parts.begin(), scenario.parts.end(),
                     [](const scenario::Part& part) { return part.kind == scenario::PartKind::kDetector; });
}

/// "reclaim, migrate did not run: needs 2 NUMA nodes; ...", or nothing: parts with the same reason stand together.
std::string skipped_parts(const PhaseRecord& record) {
  std::map<std::string, std::vector<std::string>> ids_by_reason;
  for (const auto& [id, reason] : record.skipped_parts) ids_by_reason[reason].push_back(id);
  std::vector<std::string> reasons;
  for (const auto& [reason, ids] : ids_by_reason) {
    reasons.push_back(fmt::format("{} did not run: {}", fmt::join(ids, ", "), reason));
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

/// True when there are detectors and every one was skipped.
bool nobody_watched(const scenario::Scenario& scenario, const PhaseRecord& record) {
  return has_detectors(scenario) &&
         std::all_of(scenario.parts.begin(), scenario.parts.end(), [&record](const scenario::Part& part) {
           return part.kind != scenario::PartKind::kDetector || record.skipped_parts.contains(part.id);
         });
}

/// What a detector lacks to have been of use, or nothing. Sums over all detectors would hide an idle one.
std::string idleness(const std::string& id, const PhaseRecord& record) {
  const auto ended = record.metrics.find(id);
  if (ended == record.metrics.end()) return id + " told no number of checked loads";
  const std::map<std::string, std::uint64_t>& metrics = ended->second;
  const auto loads = metrics.find("loads");
  if (loads == metrics.end()) return id + " told no number of checked loads";
  if (loads->second == 0) return id + " checked no load";
  // What a promise point needs beside a page that is gone; not every detector has such.
  const auto occasions = metrics.find("occasions");
  if (occasions != metrics.end() && occasions->second == 0) return id + " had no occasion";
  const auto promises = metrics.find("promises");
  if (promises == metrics.end() || promises->second > 0) return {};
  const auto tries = metrics.find("tries");
  return id + " saw no promise point" +
         (tries != metrics.end() ? fmt::format(": 0 of {} tries", tries->second) : "");
}

/// What an injector lacks, if it counts its effects.
std::string ineffectiveness(const std::string& id, const PhaseRecord& record) {
  const auto ended = record.metrics.find(id);
  if (ended == record.metrics.end()) return {};
  const auto effects = ended->second.find("effects");
  return effects != ended->second.end() && effects->second == 0 ? id + " had no effect" : std::string();
}

/// Names every detector and injector that was of no use.
std::string idle_parts(const scenario::Scenario& scenario, const PhaseRecord& record) {
  std::vector<std::string> reasons;
  for (const scenario::Part& part : scenario.parts) {
    std::string reason;
    if (part.kind == scenario::PartKind::kDetector) reason = idleness(part.id, record);
    if (part.kind == scenario::PartKind::kInjector) reason = ineffectiveness(part.id, record);
    if (!reason.empty()) reasons.push_back(reason);
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

std::string vacuity(const scenario::Scenario& scenario, const scenario::Phase& phase,
                    const PhaseRecord& record) {
  for (const auto& [name, least] : phase.at_least) {
    const auto counter = record.counters.find(name);
    const std::uint64_t value = name == "loads"                    ? record.loads
                                : counter != record.counters.end() ? counter->second
                                                                   : 0;
    if (value < static_cast<std::uint64_t>(least)) {
      return fmt::format("too little activity: {} is {}, at least {} are needed", name, value, least);
    }
  }
  if (scenario::is_silent(phase)) {
    const std::string idle = idle_parts(scenario, record);
    if (!idle.empty()) return idle;
  }
  if (has_detectors(scenario) && record.loads == 0) return "the detectors checked no load";
  return {};
}

/// The reason when no detector that could have caught `rule` ran.
std::string all_skipped(const DetectorsByRule& detectors, const std::string& rule,
                        const PhaseRecord& record) {
  const auto ids = detectors.find(rule);
  if (ids == detectors.end() || ids->second.empty()) return {};
  std::string reason;
  for (const std::string& id : ids->second) {
    const auto skipped = record.skipped_parts.find(id);
    if (skipped == record.skipped_parts.end()) return {};
    reason = fmt::format("{} did not run: {}", id, skipped->second);
  }
  return reason;
}

/// Adds the members of the object `key` that are counts.
void take_counts(const guest::Event& seen, const char* key, std::map<std::string, std::uint64_t>& counts) {
  if (!seen.body.contains(key) || !seen.body.at(key).is_object()) return;
  for (const auto& [name, value] : seen.body.at(key).items()) {
    if (value.is_number_integer() && value >= 0) counts[name] = value.get<std::uint64_t>();
  }
}

void take(PhaseRecord& record, const guest::Event& seen) {
  const std::string part = seen.text("part");
  if (seen.name == event::kPhaseStart) {
    record.started = true;
    record.started_ns = seen.t_ns;
  }
  if (seen.name == event::kSkip && part.empty()) record.skipped = seen.text("reason");
  if (seen.name == event::kSkip && !part.empty()) record.skipped_parts[part] = seen.text("reason");
  if (seen.name == event::kFinding) {
    const std::uint64_t after_ms = (seen.t_ns - std::min(seen.t_ns, record.started_ns)) / 1'000'000;
    record.findings.push_back({part, seen.text("rule"), seen.text("detail"), after_ms, seen.number("loads")});
    record.finding_count = std::max<std::uint64_t>(record.finding_count, record.findings.size());
  }
  if (seen.name == event::kError) {
    record.errors.push_back(part.empty() ? seen.text("message") : part + ": " + seen.text("message"));
  }
  if (seen.name == event::kPartEnd && !seen.text("error").empty())
    record.errors.push_back(part + ": " + seen.text("error"));
  if (seen.name == event::kProgress || seen.name == event::kPhaseEnd) {
    record.loads = seen.number("loads");
    record.finding_count = std::max(record.finding_count, seen.number("findings"));
    record.elapsed_ms = seen.number("elapsed_ms");
  }
  if (seen.name == event::kPartEnd) take_counts(seen, "metrics", record.metrics[part]);
  if (seen.name != event::kPhaseEnd) return;
  record.ended = true;
  take_counts(seen, "counters", record.counters);
  take_counts(seen, "gauges", record.gauges);
}

/// What else a silent phase rests on: ", 12 promise points passed in 14 tries, 300 flushes deferred".
std::string activity(const PhaseRecord& record) {
  std::string text;
  if (const std::uint64_t tries = sum_of(record, "tries"); tries > 0)
    text += fmt::format(", {} promise points passed in {} tries", format_count(sum_of(record, "promises")),
                        format_count(tries));
  const auto deferred = record.counters.find("luf_deferred");
  if (deferred != record.counters.end())
    text += fmt::format(", {} flushes deferred", format_count(deferred->second));
  return text;
}

PhaseVerdict judge_silence(const scenario::Scenario& scenario, const scenario::Phase& phase,
                           const PhaseRecord& record, const std::string& vacuous) {
  // A missing part comes first: it is why there was too little activity, if there was.
  const std::string skipped = skipped_parts(record);
  if (!skipped.empty())
    return {phase.name, nobody_watched(scenario, record) ? Outcome::kSkip : Outcome::kVacuous, skipped};
  if (!vacuous.empty()) return {phase.name, Outcome::kVacuous, vacuous};
  return {phase.name, Outcome::kPass,
          fmt::format("no finding in {} checked loads{}", format_count(record.loads), activity(record))};
}

PhaseVerdict judge_fault(const scenario::Phase& phase, const DetectorsByRule& detectors,
                         const PhaseRecord& record, const std::string& vacuous) {
  if (!record.findings.empty()) {
    const Finding& first = record.findings.front();
    return {phase.name, Outcome::kPass,
            fmt::format("the seeded fault was caught by {} as {}: {}", first.part, first.rule, first.detail)};
  }
  const std::string skipped = all_skipped(detectors, phase.expect, record);
  if (!skipped.empty()) return {phase.name, Outcome::kSkip, skipped};
  if (!vacuous.empty()) return {phase.name, Outcome::kVacuous, vacuous};
  if (phase.expect == scenario::kAny)
    return {
        phase.name, Outcome::kPass,
        fmt::format("no finding in {} checked loads, and none was asked for", format_count(record.loads))};
  return {phase.name, Outcome::kFail,
          fmt::format("the seeded fault was not caught: no finding of {} in {} ms and {} checked loads",
                      phase.expect, record.elapsed_ms, format_count(record.loads))};
}

}  // namespace

std::uint64_t sum_of(const PhaseRecord& record, const std::string& metric) {
  std::uint64_t sum = 0;
  for (const auto& [id, metrics] : record.metrics) {
    const auto found = metrics.find(metric);
    if (found != metrics.end()) sum += found->second;
  }
  return sum;
}

std::map<std::string, PhaseRecord> gather(const std::vector<guest::Event>& events) {
  std::map<std::string, PhaseRecord> records;
  for (const guest::Event& seen : events) {
    const std::string phase = seen.text("phase");
    if (!phase.empty()) take(records[phase], seen);
  }
  return records;
}

bool violated(const scenario::Phase& phase, const PhaseRecord& record) {
  const bool uncounted = scenario::is_silent(phase) && record.finding_count > 0;
  return uncounted || first_violation(phase, record) != nullptr;
}

PhaseVerdict judge_phase(const scenario::Scenario& scenario, const scenario::Phase& phase,
                         const DetectorsByRule& detectors, const PhaseRecord& record) {
  if (const Finding* finding = first_violation(phase, record)) {
    const std::string instead =
        scenario::is_silent(phase) ? "" : fmt::format(" where only {} was expected", phase.expect);
    return {phase.name, Outcome::kFail,
            fmt::format("{} violated{}: {} ({}, {} findings in all)", finding->rule, instead, finding->detail,
                        finding->part, format_count(record.finding_count))};
  }
  if (violated(phase, record)) {
    return {phase.name, Outcome::kFail,
            fmt::format("{} findings were counted, but none was sent", record.finding_count)};
  }
  if (record.skipped) return {phase.name, Outcome::kSkip, *record.skipped};
  if (!record.errors.empty()) {
    return {phase.name, Outcome::kInfra, fmt::format("an error inside the guest: {}", record.errors.front())};
  }
  if (!record.started || !record.ended) {
    return {phase.name, Outcome::kInfra, record.started ? "the phase did not end" : "the phase never ran"};
  }
  const std::string vacuous = vacuity(scenario, phase, record);
  return scenario::is_silent(phase) ? judge_silence(scenario, phase, record, vacuous)
                                    : judge_fault(phase, detectors, record, vacuous);
}

}  // namespace luf::judge
