#include "scenario/trigger.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/nearest.h"
#include "protocol/event.h"

namespace luf::scenario {
namespace {

namespace event = protocol::event;

const std::vector<std::string> kEvents{std::string(event::kPhaseStart), std::string(event::kPartStart),
                                       std::string(event::kProgress), std::string(event::kFinding), kEffect};

/// Events of the phase, not of a part.
bool is_of_phase(const std::string& name) { return name == event::kPhaseStart || name == event::kProgress; }

/// Events of the phase, and those that the guest's agent may have, too.
bool needs_no_part(const Trigger& trigger) {
  return trigger.part.empty() && (is_of_phase(trigger.event) || trigger.event == event::kFinding);
}

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
  if (needs_no_part({name, whose})) return {};
  if (is_of_phase(name)) return fmt::format("\"{}\" is no event of a part; leave out \"{}\"", name, whose);
  std::vector<std::string> able;
  for (const Part& other : scenario.parts)
    if (&other != &part && has(other, name)) able.push_back(other.id);
  if (able.empty()) return fmt::format("no other part has an event \"{}\"; use another event", name);
  if (whose.empty() || std::find(able.begin(), able.end(), whose) != able.end()) return {};
  if (whose == part.id) return fmt::format("it cannot wait for itself; use one of {}", fmt::join(able, ", "));
  return fmt::format("the part \"{}\" has no event \"{}\"{}; use one of {}", whose, name,
                     did_you_mean(whose, able), fmt::join(able, ", "));
}

std::vector<std::string> never_begin(const Scenario& scenario) {
  std::set<const Part*> begin;
  const auto begins = [&begin](const Part& part) {
    const Trigger trigger = trigger_of(part);
    return !part.on_host || needs_no_part(trigger) ||
           std::any_of(begin.begin(), begin.end(), [&trigger](const Part* other) {
             return has(*other, trigger.event) && trigger.is(trigger.event, other->id);
           });
  };
  // One that begins may be what others wait for.
  for (bool more = true; more;) {
    more = false;
    for (const Part& part : scenario.parts)
      if (!begin.contains(&part) && begins(part)) more = begin.insert(&part).second;
  }
  std::vector<std::string> never;
  for (const Part& part : scenario.parts)
    if (!begin.contains(&part)) never.push_back(part.id);
  return never;
}

void leave_out_part(Scenario& scenario, const std::string& id) {
  std::erase_if(scenario.parts, [&id](const Part& part) { return part.id == id; });
  const std::vector<std::string> without_it = never_begin(scenario);
  std::erase_if(scenario.parts, [&without_it](const Part& part) {
    return std::find(without_it.begin(), without_it.end(), part.id) != without_it.end();
  });
}

}  // namespace luf::scenario
