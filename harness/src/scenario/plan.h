// From a scenario to the plan that the guest carries out (docs/guest-protocol.md).
#pragma once

#include <string>

#include "scenario/scenario.h"

namespace luf::scenario {

/// The plan as JSON; equal scenarios give equal text. `name` is the scenario's path without folder prefix and
/// suffix, e.g. "smoke/luf-on". Thread: any.
std::string make_plan(const Scenario& scenario, const std::string& name);

/// The ids of the detectors that can find a violation of `rule`.
std::vector<std::string> detectors_of(const Scenario& scenario, const Catalog& catalog,
                                      const std::string& rule);

}  // namespace luf::scenario
