// The guests of the kill matrix (report/matrix.h).
#pragma once

#include <optional>
#include <vector>

#include "run/settings.h"

namespace luf::run {

enum class MatrixKind {
  kFaults,     ///< silent phases, and phases with a fault
  kNoFaults,   ///< silent phases only
  kBaseline,   ///< silent phases only, with LUF off: any kernel can
  kAgreement,  ///< phases with a fault last as long as `foreign` whatever is found, and `witnesses` watch, too
  kIdle,  ///< silent phases only, without injectors: nothing can be concluded of them, which must be noticed
};

struct MatrixPlan {
  MatrixKind kind = MatrixKind::kFaults;
  std::int64_t seeds = 1;
  std::int64_t first_seed = 1;
  bool full = false;                       ///< every fault in every scenario
  std::optional<Nanoseconds> silent = {};  ///< guest time of all silent phases; absent: the scenarios' own
  Nanoseconds foreign = std::chrono::seconds(
      5);  ///< how long a fault is planted in a scenario made for another one, and in an agreement
  std::vector<scenario::Part> witnesses =
      {};  ///< of an agreement: detectors for every scenario that has them not
};

/// Scenarios that plant no fault have a place there, too.
inline bool needs_no_fault(MatrixKind kind) {
  return kind == MatrixKind::kNoFaults || kind == MatrixKind::kBaseline;
}

/// The guests, seed by seed. `proofs` are scenarios with silent phases and phases that plant a fault; the latter may be
/// missing where needs_no_fault(). A silent phase is never cut below a second. Scenarios without an injector have no
/// place among the idle ones.
std::vector<Job> matrix_jobs(const std::vector<Job>& proofs, const MatrixPlan& plan);

}  // namespace luf::run
