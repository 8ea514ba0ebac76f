// One scenario, one guest, one run directory.
#pragma once

#include "report/summary.h"
#include "run/accel.h"
#include "run/settings.h"

namespace luf::run {

/// Runs `job` and returns its summary; the run directory then holds everything else. Trouble of any kind ends
/// up in the verdict, never in an exception.
Task<report::Summary> run_scenario(const Environment& environment, const Settings& settings, const Job& job,
                                   AccelChoice accel, std::string qemu_version);

/// Has the template that `job` will be cloned from made, if it is not there. For jobs that are to run side by side.
/// Errors: infra, timeout, cancelled.
Task<Result<void>> warm_up(const Environment& environment, const Settings& settings, const Job& job,
                           std::string qemu_version);

}  // namespace luf::run
