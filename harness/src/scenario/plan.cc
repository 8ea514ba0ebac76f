#include "scenario/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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
bool needs_luf(const Scenario& scenario, const Phase& phase) {
  const Kernel& kernel = scenario.kernel;
  return scenario.schedule.strategy == "windows" || kernel.luf == "on" || kernel.points != Kernel{}.points ||
         kernel.batching || kernel.age || kernel.pending_max || !phase.points_off.empty() ||
         !kernel.points_on.empty() || !phase.faults.empty() || !phase.delays.empty();
}

struct Delay {
  Nanoseconds length{};
  std::int64_t percent = 100;
};

/// SplitMix64.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

/// Each window of the kernel is left alone or widened, by some length of which each magnitude is as likely, at some or all
/// of its hits: drawn from the seed.
std::map<std::string, Delay> drawn_delays(std::int64_t seed) {
  constexpr std::array<std::int64_t, 4> kPercent{0, 5, 25, 100};
  constexpr unsigned kMagnitudes = 9;  // 1 us to 511 us
  std::map<std::string, Delay> delays;
  std::uint64_t state = static_cast<std::uint64_t>(seed);
  for (const std::string_view name : protocol::kDelays) {
    state = mix(state);
    const std::uint64_t base = std::uint64_t{1} << state % kMagnitudes;
    const auto length = std::chrono::microseconds(base + (state >> 8U) % base);
    delays[std::string(name)] = {length, kPercent[(state >> 32U) % kPercent.size()]};
  }
  return delays;
}

/// Plants what this phase asks for, and takes out what another one planted.
void plant(ordered_json& settings, const Scenario& scenario, const Phase& phase) {
  std::map<std::string, std::int64_t> faults;
  std::map<std::string, Delay> delays;
  if (scenario.schedule.strategy == "windows") delays = drawn_delays(scenario.seed);
  for (const Phase& other : scenario.phases) {
    for (const auto& [name, percent] : other.faults) faults[name] = 0;
    for (const auto& [name, length] : other.delays) delays.try_emplace(name, Delay{});
  }
  for (const auto& [name, percent] : phase.faults) faults[name] = percent;
  for (const auto& [name, length] : phase.delays) delays[name] = {length};
  if (!faults.empty() || !delays.empty())
    set(settings, fmt::format("{}/seed", protocol::kLufFaultDir), std::to_string(scenario.seed & kSeedMask));
  for (const auto& [name, percent] : faults)
    set(settings, fmt::format("{}/{}/probability", protocol::kLufFaultDir, name), std::to_string(percent));
  for (const auto& [name, delay] : delays) {
    const auto us = std::chrono::ceil<std::chrono::microseconds>(delay.length).count();
    set(settings, fmt::format("{}/{}/us", protocol::kLufDelayDir, name), std::to_string(us));
    set(settings, fmt::format("{}/{}/probability", protocol::kLufDelayDir, name),
        std::to_string(us > 0 ? delay.percent : 0));
  }
}

ordered_json settings_of(const Scenario& scenario, const Phase& phase) {
  const Kernel& kernel = scenario.kernel;
  ordered_json settings = ordered_json::array();
  const bool needed = needs_luf(scenario, phase);
  if (kernel.luf == "on") set(settings, protocol::kLufEnabled, "1");
  if (kernel.luf == "off")
    set(settings, protocol::kLufEnabled, "0", !needed);  // holds by itself without the series
  std::string points = kernel.points;
  for (const std::string& point : phase.points_off) points += " -" + point;
  for (const std::string& point : kernel.points_on) points += " +" + point;
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
  for (const Part& part : scenario.parts) {
    if (!part.on_host) parts.push_back(part_json(part));
  }
  ordered_json phases = ordered_json::array();
  for (const Phase& phase : scenario.phases) {
    ordered_json needs = ordered_json::array();
    if (needs_luf(scenario, phase)) needs.push_back("luf");
    const auto duration = std::chrono::ceil<std::chrono::milliseconds>(phase.duration);
    phases.push_back({{"name", phase.name},
                      {"duration_ms", duration.count()},
                      {"stop", phase.whole.value_or(is_silent(phase)) ? "duration" : "finding"},
                      {"needs", needs},
                      {"settings", settings_of(scenario, phase)},
                      {"parts", parts}});
  }
  // Where time counts instructions, a longer name would be another run: what a file is called must not matter.
  return ordered_json{{"version", 1},
                      {"scenario", scenario.machine.icount ? "-" : name},
                      {"seed", scenario.seed},
                      {"exact_time", scenario.machine.icount.has_value()},
                      {"end", scenario.machine.icount ? "reset" : "wait"},
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
