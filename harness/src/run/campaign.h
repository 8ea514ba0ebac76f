// Several scenarios, one after the other or some at a time.
#pragma once

#include <vector>

#include "report/summary.h"
#include "run/pool.h"
#include "run/settings.h"

namespace luf::run {

/// What came of it: the summaries of the guests that ran, also when the user broke it off.
struct Outcome {
  std::vector<report::Summary> summaries;
  bool interrupted = false;
};

/// Runs what `work` gives, `given.guests` at a time, until there is no more or the user breaks it off. `open`: a job may
/// leave the acceleration open, so that it is chosen first. Errors: infra when nothing could run at all (no QEMU).
Task<Result<void>> run_work(const Environment& environment, const Settings& given, const Work& work,
                            bool open);

/// Whether one of the jobs does.
bool leaves_accel_open(const Settings& settings, const std::vector<Job>& jobs);

/// Runs `jobs`, begun in their order, `settings.guests` at a time; the summaries are in that order, too. Chooses the acceleration first. Errors: infra when nothing could run at all (no
/// QEMU).
Task<Result<Outcome>> run_all(const Environment& environment, const Settings& settings,
                              const std::vector<Job>& jobs);

}  // namespace luf::run
