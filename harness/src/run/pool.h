// Several guests side by side.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "report/summary.h"
#include "run/ready.h"

namespace luf::run {

/// Where a pool gets its work and leaves what came of it. Called on the io_context's thread.
struct Work {
  std::function<std::optional<Job>()> next;                      ///< nothing: no more
  std::function<void(const Job&, const report::Summary&)> done;  ///< in the order in which guests end
};

/// Runs what `work` gives, `workers` guests at a time, until there is no more or the user breaks it off. Only deterministic
/// jobs: guests side by side disturb each other's host time.
Task<void> run_pool(const Environment& environment, const Ready& ready, std::size_t workers,
                    const Work& work);

}  // namespace luf::run
