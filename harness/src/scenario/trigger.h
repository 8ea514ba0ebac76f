// From which moment of a phase an injector of the host counts its time.
#pragma once

#include <string>
#include <vector>

#include "scenario/scenario.h"

namespace luf::scenario {

inline constexpr const char* kOn = "on";  ///< the parameter that says it, "EVENT" or "EVENT PART"
/// Not of the guest: an injector of the host showed that it disturbed.
inline constexpr const char* kEffect = "effect";

/// The first event of that name in a phase.
struct Trigger {
  std::string event;
  std::string part;  ///< the id of the part whose event it is; empty: whoever's
  std::string text() const { return part.empty() ? event : event + " " + part; }
  bool is(const std::string& name, const std::string& whose) const {
    return name == event && (part.empty() || part == whose);
  }
};

/// That of `part`; of parts of the guest an empty one. Thread: any.
Trigger trigger_of(const Part& part);

/// Why no part of the scenario can have the event that `part` waits for, and what to do, clauses; empty: one can.
/// Thread: any.
std::string trigger_problem(const Scenario& scenario, const Part& part);

/// The ids of the host's injectors that can never begin: no part has the event that they wait for, or they wait for the
/// effects of one another. Thread: any.
std::vector<std::string> never_begin(const Scenario& scenario);

/// Takes a part out of the scenario, and all that cannot begin without it. Thread: any.
void leave_out_part(Scenario& scenario, const std::string& id);

}  // namespace luf::scenario
