#include "scenario/contract.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "protocol/contract.h"

namespace luf::scenario {
namespace {

/// A fault of the contract, whichever table it stands in.
struct SeededFault {
  std::string name;
  std::string rules;
  std::string summary;
  std::string survives;
};

std::vector<SeededFault> seeded_faults() {
  std::vector<SeededFault> faults;
  for (const protocol::FlushPoint& point : protocol::kFlushPoints) {
    if (!point.strict) continue;
    faults.push_back({std::string(point.name), std::string(point.rules), "passed without its flush",
                      std::string(point.survives)});
  }
  for (const protocol::Fault& fault : protocol::kFaults)
    faults.push_back({std::string(fault.name), std::string(fault.rules), std::string(fault.summary),
                      std::string(fault.survives)});
  return faults;
}

bool holds(const std::vector<std::string>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// One phase that plants something and expects a rule.
struct Shown {
  const Proof* proof;
  const Phase* phase;
  std::string fault;
  std::vector<std::string> detectors;  ///< names of those that can find the rule
};

std::vector<Shown> all_shown(const Catalog& catalog, const std::vector<Proof>& proofs) {
  std::vector<Shown> shown;
  for (const Proof& proof : proofs) {
    for (const Phase& phase : proof.scenario.phases) {
      if (is_silent(phase) || phase.expect == kAny) continue;
      Shown& entry = shown.emplace_back(Shown{&proof, &phase, fault_name(proof.scenario, phase), {}});
      for (const Part& part : proof.scenario.parts) {
        const PartType* type = catalog.find(part.kind, part.name);
        if (part.kind == PartKind::kDetector && type != nullptr && holds(type->rules, phase.expect))
          entry.detectors.push_back(part.name);
      }
    }
  }
  return shown;
}

std::string code(std::string_view text) { return fmt::format("`{}`", text); }

std::string joined(const std::set<std::string>& texts) { return fmt::format("{}", fmt::join(texts, ", ")); }

/// Those that a scenario shows to see the rule, else those that say that they do.
std::string watchers(const protocol::Rule& rule, const Catalog& catalog, const std::vector<Shown>& shown) {
  std::set<std::string> names;
  for (const Shown& entry : shown) {
    if (entry.phase->expect != rule.id) continue;
    for (const std::string& detector : entry.detectors) names.insert(code(detector));
  }
  if (!names.empty()) return joined(names);
  for (const PartType& part : catalog.parts) {
    if (holds(part.rules, rule.id)) names.insert(code(part.name));
  }
  return names.empty() ? std::string(rule.watched_by) : joined(names);
}

/// "`unmap` by `unmap_access` as R1, ...", or why there is none.
std::string proofs_of(const SeededFault& fault, const std::vector<Shown>& shown) {
  std::vector<std::string> texts;
  for (const Shown& entry : shown) {
    if (entry.fault != fault.name) continue;
    texts.push_back(fmt::format("{} in {}: {}", entry.phase->expect, code(entry.proof->name),
                                fmt::join(entry.detectors, ", ")));
  }
  return texts.empty() ? "none: " + fault.survives : fmt::format("{}", fmt::join(texts, "; "));
}

void check_rules(const Catalog& catalog, const std::vector<Shown>& shown, std::vector<std::string>& defects) {
  for (const protocol::Rule& rule : protocol::kRules) {
    const bool watched = std::any_of(catalog.parts.begin(), catalog.parts.end(),
                                     [&rule](const PartType& part) { return holds(part.rules, rule.id); });
    const bool broken = std::any_of(shown.begin(), shown.end(),
                                    [&rule](const Shown& entry) { return entry.phase->expect == rule.id; });
    if (!watched && rule.watched_by.empty())
      defects.push_back(fmt::format("rule {}: no detector has it; give it one", rule.id));
    if (!broken && rule.no_fault.empty())
      defects.push_back(fmt::format("rule {}: no scenario plants a fault and expects it", rule.id));
    if (broken && !rule.no_fault.empty())
      defects.push_back(fmt::format("rule {}: a scenario breaks it, so \"{}\" does not hold any more",
                                    rule.id, rule.no_fault));
  }
}

void check_faults(const std::vector<Shown>& shown, std::vector<std::string>& defects) {
  for (const SeededFault& fault : seeded_faults()) {
    const auto alone = std::find_if(shown.begin(), shown.end(),
                                    [&fault](const Shown& entry) { return entry.fault == fault.name; });
    if (alone == shown.end() && fault.survives.empty())
      defects.push_back(fmt::format("fault {}: no scenario plants it alone", fault.name));
    if (alone == shown.end()) continue;
    if (!fault.survives.empty())
      defects.push_back(fmt::format("fault {}: {} shows it, so \"{}\" does not hold any more", fault.name,
                                    alone->proof->name, fault.survives));
  }
  for (const Shown& entry : shown) {
    const std::vector<SeededFault> faults = seeded_faults();
    const auto fault = std::find_if(faults.begin(), faults.end(),
                                    [&entry](const SeededFault& one) { return one.name == entry.fault; });
    // R10 and R11 are the other rules, seen by other means.
    const bool other_means = entry.phase->expect == "R10" || entry.phase->expect == "R11";
    if (fault != faults.end() && !other_means && fault->rules.find(entry.phase->expect) == std::string::npos)
      defects.push_back(fmt::format("{}: expects {} of the fault {}, which breaks {}", entry.proof->name,
                                    entry.phase->expect, fault->name, fault->rules));
  }
}

void check_detectors(const Catalog& catalog, const std::vector<Shown>& shown,
                     std::vector<std::string>& defects) {
  for (const PartType& part : catalog.parts) {
    if (part.kind != PartKind::kDetector) continue;
    bool can_be_shown = false;
    for (const std::string& id : part.rules) {
      const auto rule = std::find_if(protocol::kRules.begin(), protocol::kRules.end(),
                                     [&id](const protocol::Rule& one) { return one.id == id; });
      if (rule == protocol::kRules.end())
        defects.push_back(fmt::format("detector {}: there is no rule {}", part.name, id));
      else
        can_be_shown = can_be_shown || rule->no_fault.empty();
    }
    const bool fires = std::any_of(shown.begin(), shown.end(),
                                   [&part](const Shown& entry) { return holds(entry.detectors, part.name); });
    if (can_be_shown && !fires)
      defects.push_back(fmt::format("detector {}: no scenario plants a fault that it must see", part.name));
  }
}

void check_proofs(const std::vector<Proof>& proofs, std::vector<std::string>& defects) {
  for (const Proof& proof : proofs) {
    bool silent = false;
    for (const Phase& phase : proof.scenario.phases) {
      silent = silent || is_silent(phase);
      if (is_silent(phase) && phase.at_least.empty())
        defects.push_back(
            fmt::format("{}: phase {} states no minimum of activity (\"at_least\")", proof.name, phase.name));
      if (!is_silent(phase) && planted(proof.scenario, phase).empty())
        defects.push_back(
            fmt::format("{}: phase {} expects {} but plants nothing", proof.name, phase.name, phase.expect));
    }
    if (!silent) defects.push_back(fmt::format("{}: has no silent phase", proof.name));
  }
}

}  // namespace

std::vector<std::string> planted(const Scenario& scenario, const Phase& phase) {
  std::set<std::string> names;
  for (const std::string& point : phase.points_off) {
    if (!holds(scenario.kernel.points_off, point)) names.insert(point);
  }
  for (const auto& [name, percent] : phase.faults) names.insert(name);
  return {names.begin(), names.end()};
}

std::string fault_name(const Scenario& scenario, const Phase& phase) {
  const std::vector<std::string> names = planted(scenario, phase);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, "+"));
}

std::vector<std::string> fault_names() {
  std::vector<std::string> names;
  for (const SeededFault& fault : seeded_faults()) names.push_back(fault.name);
  return names;
}

std::string why_it_survives(const std::string& name) {
  for (const SeededFault& fault : seeded_faults()) {
    if (fault.name == name) return fault.survives;
  }
  return {};
}

std::string contract_tables(const Catalog& catalog, const std::vector<Proof>& proofs) {
  const std::vector<Shown> shown = all_shown(catalog, proofs);
  std::string text =
      "| rule | promise point | from then on, on every CPU | watched by |\n|---|---|---|---|\n";
  for (const protocol::Rule& rule : protocol::kRules)
    text += fmt::format("| {} {} | {} | {} | {} |\n", rule.id, rule.name, rule.promise, rule.afterwards,
                        watchers(rule, catalog, shown));
  text += "\n| flush point | rule | where |\n|---|---|---|\n";
  for (const protocol::FlushPoint& point : protocol::kFlushPoints)
    text += fmt::format("| {} | {} | {} |\n", code(point.name), point.rules, point.summary);
  text += "\n| fault | breaks | what goes wrong | shown as |\n|---|---|---|---|\n";
  for (const SeededFault& fault : seeded_faults())
    text += fmt::format("| {} | {} | {} | {} |\n", code(fault.name), fault.rules, fault.summary,
                        proofs_of(fault, shown));
  text += "\n| rule | why no planted fault breaks it |\n|---|---|\n";
  for (const protocol::Rule& rule : protocol::kRules) {
    if (!rule.no_fault.empty()) text += fmt::format("| {} | {} |\n", rule.id, rule.no_fault);
  }
  return text;
}

std::vector<std::string> unbound_entries(const Catalog& catalog, const std::vector<Proof>& proofs) {
  const std::vector<Shown> shown = all_shown(catalog, proofs);
  std::vector<std::string> defects;
  check_rules(catalog, shown, defects);
  check_faults(shown, defects);
  check_detectors(catalog, shown, defects);
  check_proofs(proofs, defects);
  return defects;
}

}  // namespace luf::scenario
