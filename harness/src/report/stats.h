// The statistical tests that comparisons state: both exact where that is feasible.
#pragma once

#include <cstdint>
#include <vector>

namespace luf::report {

/// Fisher's exact test, two-sided: the probability of a table at least as unlikely as this one if both rates are the
/// same. `bad` of `n` each. 1 when nothing can be told.
double fisher(std::int64_t bad_a, std::int64_t n_a, std::int64_t bad_b, std::int64_t n_b);

/// The rank-sum test of Mann, Whitney and Wilcoxon, two-sided, ties by mid-ranks: by counting every division of the
/// values into two groups up to 200 000 of them, else by the normal approximation with ties corrected.
double rank_sum(const std::vector<double>& a, const std::vector<double>& b);

/// Holm's correction: the probability that the i-th of these differences, or a smaller one, came by chance among all.
std::vector<double> holm(const std::vector<double>& p);

/// The interval that holds the true rate with 95 % confidence, for `hits` of `runs` (Wilson's score).
struct Interval {
  double low = 0;
  double high = 1;
};
Interval rate_interval(std::int64_t hits, std::int64_t runs);

/// `values` must not be empty.
double median(std::vector<double> values);

}  // namespace luf::report
