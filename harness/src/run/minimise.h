// The least of a scenario that still fails in the same way.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "run/explore.h"

namespace luf::run {

/// Something that a scenario could do without.
struct Step {
  std::string name;                                    ///< for people, e.g. "workload churn"
  std::function<void(scenario::Scenario&)> leave_out;  ///< by name, so that the order does not matter
};

/// All that can be left out: parts, each with what cannot begin without it (of detectors all but the one with id
/// `detector`), seeded faults, delays, flush points switched off or on, the schedule, phases other than `phase`.
std::vector<Step> steps_of(const scenario::Scenario& scenario, const std::string& detector,
                           const std::string& phase);

/// Smaller machines and shorter phases, each a step down from `scenario`, the most rewarding first.
std::vector<Step> smaller(const scenario::Scenario& scenario);

/// Says whether the scenario without these steps still fails in the same way.
using StillFails = std::function<Task<Result<bool>>(const std::vector<bool>& left_out)>;

/// Delta debugging (Zeller and Hildebrandt 2002) over `count` steps: returns which can be left out together, such that no
/// further single one can. Asks `still_fails` at most about count^2 times. Errors: those of `still_fails`.
Task<Result<std::vector<bool>>> reduce(std::size_t count, const StillFails& still_fails);

struct Minimised {
  scenario::Scenario scenario;    ///< with the seed that fails
  std::vector<std::string> kept;  ///< names of the steps that are needed
  std::size_t from = 0;           ///< steps at the beginning
  std::int64_t runs = 0;          ///< guests
  report::Summary summary;        ///< of a run of it
};

/// Reduces a deterministic run's scenario while some of `tries` seeds, from its own upwards, gives a violation with the
/// same fingerprint. Errors: infra, cancelled; scenario, when it does not fail at all.
Task<Result<Minimised>> minimise(const Environment& environment, const Ready& ready, const Job& job,
                                 const std::string& fingerprint, std::int64_t tries, std::size_t workers);

}  // namespace luf::run
