#include "scenario/trigger.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/nearest.h"
#include "protocol/event.h"

namespace luf::scenario {
namespace {

namespace event = protocol::event;

const std::vector<std::string> kEvents{std::string(event::kPhaseStart), std::string(event::kPartStart),
                                       std::string(event::kProgress), std::string(event::kFinding), kEffect};

/// Whether that part can have an event of that name.
bool has(const Part& part, const std::string& name) {
  if (name == kEffect) return part.on_host;
  if (name == event::kFinding) return part.kind == PartKind::kDetector;
  return name == event::kPartStart && !part.on_host;
}

}  // namespace

Trigger trigger_of(const Part& part) {
  const auto found = part.params.find(kOn);
  if (!part.on_host || found == part.params.end()) return {};
  const std::string& text = std::get<std::string>(found->second);
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return {text, {}};
  return {text.substr(0, space), text.substr(space + 1)};
}

std::string trigger_problem(const Scenario& scenario, const Part& part) {
  const auto [name, whose] = trigger_of(part);
  if (std::find(kEvents.begin(), kEvents.end(), name) == kEvents.end())
    return fmt::format("unknown event \"{}\"{}; use one of {}", name, did_you_mean(name, kEvents),
                       fmt::join(kEvents, ", "));
  std::vector<std::string> able;
  for (const Part& other : scenario.parts)
    if (&other != &part && has(other, name)) able.push_back(other.id);
  if (whose.empty())
    return name == kEffect && able.empty() ? "there is no other injector of the host" : std::string();
  if (std::find(able.begin(), able.end(), whose) != able.end()) return {};
  if (able.empty()) return fmt::format("no part of this scenario has an event \"{}\" to wait for", name);
  return fmt::format("the part \"{}\" has no event \"{}\"{}; use one of {}", whose, name,
                     did_you_mean(whose, able), fmt::join(able, ", "));
}

}  // namespace luf::scenario
