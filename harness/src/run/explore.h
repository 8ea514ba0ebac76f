// Many seeds of one scenario, until something is found.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "report/summary.h"
#include "run/pool.h"

namespace luf::run {

struct Exploration {
  Job job;  ///< its seed is replaced
  std::int64_t first_seed = 1;
  std::int64_t seeds = 200;
  Nanoseconds time{};  ///< host time; 0: no limit
  std::size_t workers = 1;
  bool keep_all = false;         ///< also the run directories in which nothing was found
  std::string fingerprint = {};  ///< only this violation counts; empty: any
};

/// What came of it. A pair of coverage is "promise point in window": a flush point that flushed in a run in which that
/// window was widened.
struct Explored {
  std::int64_t runs = 0;
  std::set<std::string> digests;             ///< distinct courses
  std::set<std::string> pairs;               ///< of coverage
  std::optional<report::Summary> violation;  ///< the first one
  std::int64_t seed = 0;                     ///< its seed
  std::optional<report::Summary> broken;     ///< a guest that could not be judged ends the search
  double seconds = 0;
};

/// A finding, or a kernel that failed in another way. That an expected finding did not come is none.
bool violates(const scenario::Scenario& scenario, const report::Summary& summary);

/// Runs seeds side by side, in their order, until the first violation or a limit. Which one is first can depend on the
/// host when several workers run. Errors: infra, cancelled; nothing for what guests do.
Task<Result<Explored>> explore(const Environment& environment, const Ready& ready,
                               const Exploration& exploration);

/// The probability of a violation in a run is below this, with 95 % confidence, when `runs` of them had none.
double bound_of_silence(std::int64_t runs);

}  // namespace luf::run
