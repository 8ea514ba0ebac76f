#include "report/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "report/columns.h"

namespace luf::report {
namespace {

constexpr std::string_view kChecks = "tlb_check";
constexpr std::string_view kAgent = "agent";

using Rules = std::set<std::string>;

std::string joined(const Rules& rules) { return fmt::format("{}", fmt::join(rules, ",")); }

bool is_kernel(const scenario::Scenario& scenario, const std::string& id) {
  return id == kAgent || std::any_of(scenario.parts.begin(), scenario.parts.end(), [&id](const auto& part) {
           return part.id == id && part.name == kChecks;
         });
}

Testimony testimony_on(const MatrixGuest& guest, std::size_t index) {
  Rules detectors;
  Rules kernel;
  Rules outside;
  const auto record = guest.summary.phases.find(guest.scenario.phases[index].name);
  for (const judge::Finding& finding : record->second.findings) {
    if (finding.part == judge::kOraclePart) continue;  // its report has all, not only those expected
    (is_kernel(guest.scenario, finding.part) ? kernel : detectors).insert(finding.rule);
  }
  const judge::OracleReport oracle = guest.summary.oracle.value_or(judge::OracleReport{});
  for (const judge::OracleFinding& finding : oracle.findings) {
    if (std::max(finding.phase, 0) == static_cast<int>(index)) outside.insert(finding.rule);
  }
  return {joined(detectors), joined(kernel), joined(outside)};
}

Agreement& row_of(std::vector<Agreement>& rows, const MatrixGuest& guest, const scenario::Phase& phase) {
  const bool silent = scenario::is_silent(phase);
  const std::string fault = silent ? "" : scenario::fault_name(guest.scenario, phase);
  const std::string name = silent ? "" : guest.name;
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Agreement& row) {
    return row.fault == fault && row.scenario == name;
  });
  if (found != rows.end()) return *found;
  return rows.emplace_back(Agreement{fault, name, silent ? "" : phase.expect, {}});
}

/// "R8 3/3", "R5 2/3; R5,R8 1/3", or ".".
std::string told_by(const Agreement& row, std::string Testimony::*witness) {
  std::map<std::string, std::size_t> counts;
  for (const Testimony& guest : row.guests) ++counts[guest.*witness];
  counts.erase("");
  std::vector<std::string> texts;
  for (const auto& [rules, count] : counts)
    texts.push_back(fmt::format("{} {}/{}", rules, count, row.guests.size()));
  return texts.empty() ? "." : fmt::format("{}", fmt::join(texts, "; "));
}

/// The kernel's checks look at what was deferred. Where nothing is, as with faults of Linux's own flushes, they are
/// silent, not idle.
bool only_the_checks_were_idle(const MatrixGuest& guest, const judge::PhaseVerdict& verdict) {
  scenario::Scenario without = guest.scenario;
  std::erase_if(without.parts,
                [&](const scenario::Part& part) { return is_kernel(guest.scenario, part.id); });
  const auto phase = std::find_if(without.phases.begin(), without.phases.end(),
                                  [&](const auto& planned) { return planned.name == verdict.phase; });
  const auto record = guest.summary.phases.find(verdict.phase);
  if (phase == without.phases.end() || record == guest.summary.phases.end()) return false;
  const auto deferred = record->second.counters.find("luf_deferred");
  return verdict.outcome == judge::Outcome::kVacuous &&
         (deferred == record->second.counters.end() || deferred->second == 0) &&
         judge::judge_phase(without, *phase, {}, record->second).outcome == judge::Outcome::kPass;
}

/// Empty: there is no reason.
std::string why_unheard(const MatrixGuest& guest) {
  if (!guest.summary.oracle || !guest.summary.oracle->complete)
    return "the oracle left no whole report; " + guest.summary.verdict.reason;
  bool failed = false;
  bool idle = false;
  for (const judge::PhaseVerdict& phase : guest.summary.verdict.phases) {
    const auto record = guest.summary.phases.find(phase.phase);
    if (record == guest.summary.phases.end() || !record->second.ended)
      return fmt::format("phase {} did not end: {}", phase.phase, phase.reason);
    if (phase.outcome == judge::Outcome::kPass) continue;
    const bool failure = phase.outcome == judge::Outcome::kFail;
    if (!failure && !only_the_checks_were_idle(guest, phase))
      return fmt::format("phase {}: {}: {}", phase.phase, to_string(phase.outcome), phase.reason);
    (failure ? failed : idle) = true;
  }
  const judge::Outcome whole = guest.summary.verdict.outcome;
  const bool explained =
      whole == judge::Outcome::kPass || failed || (idle && whole == judge::Outcome::kVacuous);
  return explained ? "" : guest.summary.verdict.reason;
}

bool spoke(const Testimony& guest) {
  return !guest.detectors.empty() || !guest.kernel.empty() || !guest.oracle.empty();
}

}  // namespace

std::vector<Agreement> agreements(const std::vector<MatrixGuest>& guests) {
  std::vector<Agreement> rows;
  for (const MatrixGuest& guest : guests) {
    for (std::size_t i = 0; i < guest.scenario.phases.size(); ++i) {
      const scenario::Phase& phase = guest.scenario.phases[i];
      const auto record = guest.summary.phases.find(phase.name);
      if (record == guest.summary.phases.end() || !record->second.ended) continue;
      row_of(rows, guest, phase).guests.push_back(testimony_on(guest, i));
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Agreement& left, const Agreement& right) {
    return left.fault.empty() < right.fault.empty();  // silence comes last
  });
  return rows;
}

std::vector<std::string> unheard(const std::vector<MatrixGuest>& guests) {
  std::vector<std::string> sentences;
  for (const MatrixGuest& guest : guests) {
    const std::string why = why_unheard(guest);
    if (!why.empty())
      sentences.push_back(fmt::format("{} seed {}: {} ({})", guest.name, guest.scenario.seed, why,
                                      guest.summary.directory.string()));
  }
  return sentences;
}

std::string to_table(const std::vector<Agreement>& agreements) {
  std::vector<Row> rows{{"fault", "scenario", "rule", "detectors", "kernel's checks", "oracle"}};
  for (const Agreement& row : agreements) {
    const std::string fault =
        row.fault.empty() ? fmt::format("none, {} phases", row.guests.size()) : row.fault;
    rows.push_back({fault, row.scenario, row.expected, told_by(row, &Testimony::detectors),
                    told_by(row, &Testimony::kernel), told_by(row, &Testimony::oracle)});
  }
  return columns(rows);
}

std::string to_json(const std::vector<Agreement>& agreements, const std::string& provenance,
                    const std::vector<std::string>& unheard) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Agreement& row : agreements) {
    nlohmann::ordered_json guests = nlohmann::ordered_json::array();
    for (const Testimony& guest : row.guests)
      guests.push_back({{"detectors", guest.detectors}, {"kernel", guest.kernel}, {"oracle", guest.oracle}});
    rows.push_back(
        {{"fault", row.fault}, {"scenario", row.scenario}, {"expected", row.expected}, {"guests", guests}});
  }
  const nlohmann::ordered_json document{{"version", 1},
                                        {"exit_code", exit_code(agreements, unheard)},
                                        {"provenance", provenance},
                                        {"agreements", rows},
                                        {"of_no_use", unheard}};
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int exit_code(const std::vector<Agreement>& agreements, const std::vector<std::string>& unheard) {
  for (const Agreement& row : agreements) {
    const bool silent = row.fault.empty();
    if (std::any_of(row.guests.begin(), row.guests.end(),
                    [silent](const Testimony& guest) { return spoke(guest) == silent; }))
      return 1;
  }
  return agreements.empty() || !unheard.empty() ? 3 : 0;
}

}  // namespace luf::report
