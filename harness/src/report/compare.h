// Two sets of runs against each other: verdicts and counts, never times.
#pragma once

#include <string>
#include <vector>

#include "history/record.h"
#include "report/columns.h"

namespace luf::report {

/// One side.
struct Side {
  std::string name;
  std::vector<history::Case> cases;
};

/// First attempts of one scenario, set and size that were not green.
struct VerdictDifference {
  std::string what;
  std::int64_t bad_a = 0, n_a = 0, bad_b = 0, n_b = 0;
  double p = 1;  ///< corrected for the number of rows
};

/// A count per page reclaimed or migrated; fewer is better for all of them.
struct CountDifference {
  std::string what;
  std::vector<double> a, b;  ///< run by run
  double p = 1;              ///< corrected for the number of rows

  double change() const;  ///< of the medians, per cent
  /// "fewer", "more", or that no difference was shown.
  std::string verdict() const;
};

struct Comparison {
  std::string a, b;
  std::vector<VerdictDifference> verdicts;
  std::vector<CountDifference> counts;  ///< those where B has more come first
};

inline constexpr double kSignificance = 0.05;

/// Only what both sides ran; runs that were skipped or broke off do not count.
Comparison compare(const Side& a, const Side& b);

/// The head and a row for each difference.
std::vector<Row> verdict_rows(const Comparison& comparison);
std::vector<Row> count_rows(const Comparison& comparison);

/// Which tests were used, in one paragraph.
std::string method();

std::string to_table(const Comparison& comparison);

/// True when B is worse in a way that is no chance: more that is not green.
bool is_regression(const Comparison& comparison);

}  // namespace luf::report
