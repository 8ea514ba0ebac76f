#include "scenario/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocol/luf_sysfs.h"

namespace luf::scenario {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t kSeedMask = 0xffffffff;  // the kernel's seed has 32 bits

/// An optional setting is left out by the guest where its path does not exist.
void set(ordered_json& settings, std::string_view path, const std::string& value, bool optional = false) {
  ordered_json entry{{"path", path}, {"value", value}};
  if (optional) entry["optional"] = true;
  settings.push_back(std::move(entry));
}

/// True when the phase means something only on a kernel with the series.
bool needs_luf(const Kernel& kernel, const Phase& phase) {
  return kernel.luf == "on" || kernel.points != Kernel{}.points || kernel.batching || kernel.age ||
         kernel.pending_max || !phase.points_off.empty() || !phase.faults.empty() || !phase.delays.empty();
}

/// Plants what this phase asks for, and takes out what another one planted.
void plant(ordered_json& settings, const Scenario& scenario, const Phase& phase) {
  std::map<std::string, std::int64_t> faults;
  std::map<std::string, Nanoseconds> delays;
  for (const Phase& other : scenario.phases) {
    for (const auto& [name, percent] : other.faults) faults[name] = 0;
    for (const auto& [name, length] : other.delays) delays[name] = Nanoseconds(0);
  }
  for (const auto& [name, percent] : phase.faults) faults[name] = percent;
  for (const auto& [name, length] : phase.delays) delays[name] = length;
  if (!faults.empty() || !delays.empty())
    set(settings, fmt::format("{}/seed", protocol::kLufFaultDir), std::to_string(scenario.seed & kSeedMask));
  for (const auto& [name, percent] : faults)
    set(settings, fmt::format("{}/{}/probability", protocol::kLufFaultDir, name), std::to_string(percent));
  for (const auto& [name, length] : delays) {
    const auto us = std::chrono::ceil<std::chrono::microseconds>(length).count();
    set(settings, fmt::format("{}/{}/us", protocol::kLufDelayDir, name), std::to_string(us));
    set(settings, fmt::format("{}/{}/probability", protocol::kLufDelayDir, name), us > 0 ? "100" : "0");
  }
}

ordered_json settings_of(const Scenario& scenario, const Phase& phase) {
  const Kernel& kernel = scenario.kernel;
  ordered_json settings = ordered_json::array();
  const bool needed = needs_luf(kernel, phase);
  if (kernel.luf == "on") set(settings, protocol::kLufEnabled, "1");
  if (kernel.luf == "off")
    set(settings, protocol::kLufEnabled, "0", !needed);  // holds by itself without the series
  std::string points = kernel.points;
  for (const std::string& point : phase.points_off) points += " -" + point;
  set(settings, protocol::kLufPoints, points, !needed);
  if (kernel.batching) set(settings, protocol::kLufBatching, *kernel.batching ? "1" : "0");
  if (kernel.age) {
    const auto age = std::chrono::ceil<std::chrono::milliseconds>(*kernel.age);
    set(settings, protocol::kLufAgeMs, std::to_string(age.count()));
  }
  if (kernel.pending_max) set(settings, protocol::kLufPendingMax, std::to_string(*kernel.pending_max));
  plant(settings, scenario, phase);
  return settings;
}

ordered_json part_json(const Part& part) {
  ordered_json params = ordered_json::object();
  for (const auto& [name, value] : part.params) {
    std::visit([&params, &key = name](const auto& plain) { params[key] = plain; }, value);
  }
  return {{"id", part.id}, {"kind", to_string(part.kind)}, {"name", part.name}, {"params", params}};
}

}  // namespace

std::string make_plan(const Scenario& scenario, const std::string& name) {
  ordered_json parts = ordered_json::array();
  for (const Part& part : scenario.parts) parts.push_back(part_json(part));
  ordered_json phases = ordered_json::array();
  for (const Phase& phase : scenario.phases) {
    ordered_json needs = ordered_json::array();
    if (needs_luf(scenario.kernel, phase)) needs.push_back("luf");
    const auto duration = std::chrono::ceil<std::chrono::milliseconds>(phase.duration);
    phases.push_back({{"name", phase.name},
                      {"duration_ms", duration.count()},
                      {"stop", phase.expect == kSilent ? "duration" : "finding"},
                      {"needs", needs},
                      {"settings", settings_of(scenario, phase)},
                      {"parts", parts}});
  }
  return ordered_json{{"version", 1},
                      {"scenario", name},
                      {"seed", scenario.seed},
                      {"exact_time", scenario.machine.icount.has_value()},
                      {"phases", phases}}
      .dump();
}

std::vector<std::string> detectors_of(const Scenario& scenario, const Catalog& catalog,
                                      const std::string& rule) {
  std::vector<std::string> ids;
  for (const Part& part : scenario.parts) {
    const PartType* type = catalog.find(part.kind, part.name);
    if (type == nullptr || part.kind != PartKind::kDetector) continue;
    if (std::find(type->rules.begin(), type->rules.end(), rule) != type->rules.end()) ids.push_back(part.id);
  }
  return ids;
}

}  // namespace luf::scenario
