// The kill matrix: which planted fault was seen by which detector, how soon, and that nothing is seen without one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "judge/oracle.h"
#include "report/summary.h"
#include "scenario/contract.h"

namespace luf::report {

/// One phase of one guest with a fault planted.
struct Trial {
  std::int64_t seed = 0;
  judge::Outcome outcome = judge::Outcome::kInfra;
  std::string reason;
  std::string directory;
  // Of the first finding; no rule: there was none.
  std::string rule;
  std::string detector;
  std::string detail;
  std::uint64_t after_ms = 0;  ///< guest time; 0 where timed() is false
  std::uint64_t loads = 0;     ///< checked until then
  std::uint64_t tries = 0;     ///< acts of that detector in the phase; 0 when it does not count them

  /// There was a finding, and by one who says when: the oracle does not.
  bool timed() const { return !rule.empty() && detector != judge::kOraclePart; }
};

/// A fault in a scenario, over all seeds.
struct Cell {
  std::string fault;
  std::string scenario;
  std::string expected;                ///< rule; "any" where the scenario was not made for this fault
  std::vector<std::string> detectors;  ///< that ran
  std::vector<Trial> trials;

  /// Trials in which the fault was seen as what it is.
  std::size_t kills() const;
  /// Median guest time to the finding, in ms, of the trials that had one; 0: none had.
  double median_ms() const;
};

/// All phases without a fault.
struct Quiet {
  std::size_t phases = 0;  ///< that were judged
  std::size_t seeds = 0;
  std::uint64_t guest_ms = 0;
  std::uint64_t loads = 0;
  std::uint64_t tries = 0;
  std::uint64_t promises = 0;
  std::uint64_t deferrals = 0;
  std::vector<std::string> alarms;  ///< a sentence for each phase that was not silent
  std::optional<judge::OracleReport>
      oracle;  ///< its counts over the guests without any fault; absent: none had it
};

/// A fault that is not always seen.
struct Hole {
  std::string fault;
  std::string what;
  std::string accepted;  ///< why that is so, from the contract's data; empty: it must not be
};

struct Matrix {
  std::vector<Cell> cells;   ///< faults in the scenarios made for them
  std::vector<Cell> others;  ///< faults in the scenarios made for other faults
  Quiet quiet;
  std::vector<Hole> holes;
  std::vector<std::string> useless;  ///< guests of which nothing can be concluded
};

/// A guest: what it was to run, and what came of it.
struct MatrixGuest {
  scenario::Scenario scenario;
  std::string name;  ///< of the scenario, e.g. "selftest/unmap"
  Summary summary;
};

/// `whole`: the guests are meant to plant every fault there is, and one that none plants is a hole. Thread: any. Equal
/// input gives an equal matrix.
Matrix tabulate(const std::vector<MatrixGuest>& guests, bool whole);

/// Guests without an injector: the verdict on each and why, a line each. Good when all are vacuous.
std::string idle_table(const std::vector<MatrixGuest>& guests);
bool all_idle_noticed(const std::vector<MatrixGuest>& guests);

std::string to_table(const Matrix& matrix);
/// `provenance`: lines on what was run.
std::string to_json(const Matrix& matrix, const std::string& provenance);
std::string to_html(const Matrix& matrix, const std::string& provenance);

/// 0: every fault seen or its survival accepted, silence otherwise; 1: not so; 3: nothing can be concluded of a guest.
int exit_code(const Matrix& matrix);

}  // namespace luf::report
