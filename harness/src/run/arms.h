// The same scenarios under several kernel settings, guest by guest in turns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/summary.h"
#include "run/settings.h"

namespace luf::run {

/// One column of an experiment: what the kernel is told, and, if need be, which kernel.
struct Arm {
  std::string name;
  std::string luf = "off";
  std::string points = scenario::Kernel{}.points;
  std::optional<bool> batching = std::nullopt;
  std::optional<Nanoseconds> age = std::nullopt;
  std::optional<std::int64_t> pending_max = std::nullopt;
  std::optional<artifact::Kernel> kernel = std::nullopt;  ///< instead of the one of the settings
};

/// Every case is booted `boots` times under every arm; the seed goes up from `first_seed` with each round of boots and
/// is the same for all arms.
struct Experiment {
  std::vector<Job> cases;
  std::vector<Arm> arms;
  std::int64_t boots = 1;
  std::int64_t first_seed = 1;
};

/// All guests in the order in which they run. In each round another arm goes first (ABC, BCA, CAB, ...), so that a host
/// that changes over time favours none.
std::vector<Job> jobs_of(const Experiment& experiment);

/// The summaries of one case and arm, round by round. `summaries` are those of all jobs, in their order.
std::vector<report::Summary> boots_of(const Experiment& experiment,
                                      const std::vector<report::Summary>& summaries, std::size_t of_case,
                                      std::size_t of_arm);

}  // namespace luf::run
