#include "report/stats.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace luf::report {
namespace {

constexpr double kMostDivisions = 200'000;

double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

/// Mid-ranks of the values of `a`, then of `b`.
std::vector<double> ranks_of(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&all](std::size_t x, std::size_t y) { return all[x] < all[y]; });
  std::vector<double> ranks(all.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && all[order[end]] == all[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) ranks[order[k]] = static_cast<double>(i + end + 1) / 2;
    i = end;
  }
  return ranks;
}

/// Divisions of the ranks into groups, in which the first one's sum is at least as far from the mean as `far`.
struct Divisions {
  const std::vector<double>& ranks;
  std::size_t size;  ///< of the first group
  double mean;
  double far;
  std::uint64_t all = 0;
  std::uint64_t extreme = 0;

  void count(std::size_t from, std::size_t taken, double sum) {
    if (taken == size) {
      ++all;
      if (std::abs(sum - mean) >= far - 1e-9) ++extreme;
      return;
    }
    for (std::size_t i = from; i + (size - taken) <= ranks.size(); ++i)
      count(i + 1, taken + 1, sum + ranks[i]);
  }
};

double ties_of(std::vector<double> ranks) {
  std::sort(ranks.begin(), ranks.end());
  double sum = 0;
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t end = i;
    while (end < ranks.size() && ranks[end] == ranks[i]) ++end;
    const auto same = static_cast<double>(end - i);
    sum += same * same * same - same;
    i = end;
  }
  return sum;
}

}  // namespace

double fisher(std::int64_t bad_a, std::int64_t n_a, std::int64_t bad_b, std::int64_t n_b) {
  const auto bad = static_cast<double>(bad_a + bad_b);
  const auto a = static_cast<double>(n_a);
  const auto n = static_cast<double>(n_a + n_b);
  if (n_a == 0 || n_b == 0) return 1;
  const auto log_p = [&](double k) {
    return log_choose(a, k) + log_choose(n - a, bad - k) - log_choose(n, bad);
  };
  const double seen = log_p(static_cast<double>(bad_a));
  double sum = 0;
  for (double k = std::max(0.0, bad - (n - a)); k <= std::min(a, bad); ++k) {
    if (log_p(k) <= seen + 1e-9) sum += std::exp(log_p(k));
  }
  return std::min(sum, 1.0);
}

double rank_sum(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) return 1;
  const std::vector<double> ranks = ranks_of(a, b);
  const auto n_a = static_cast<double>(a.size());
  const auto n_b = static_cast<double>(b.size());
  const double n = n_a + n_b;
  const double sum =
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(a.size()), 0.0);
  const double mean = n_a * (n + 1) / 2;
  const double far = std::abs(sum - mean);
  if (log_choose(n, n_a) <= std::log(kMostDivisions)) {
    Divisions divisions{ranks, a.size(), mean, far};
    divisions.count(0, 0, 0);
    return static_cast<double>(divisions.extreme) / static_cast<double>(divisions.all);
  }
  const double variance = n_a * n_b / 12 * (n + 1 - ties_of(ranks) / (n * (n - 1)));
  if (variance <= 0) return 1;
  return std::erfc(std::max(far - 0.5, 0.0) / std::sqrt(2 * variance));
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&p](std::size_t x, std::size_t y) { return p[x] < p[y]; });
  std::vector<double> corrected(p.size());
  double least = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    least = std::max(least, std::min(1.0, p[order[i]] * static_cast<double>(p.size() - i)));
    corrected[order[i]] = least;
  }
  return corrected;
}

Interval rate_interval(std::int64_t hits, std::int64_t runs) {
  if (runs <= 0) return {};
  constexpr double kZ = 1.959964;
  const auto n = static_cast<double>(runs);
  const double rate = static_cast<double>(hits) / n;
  const double scale = 1 + kZ * kZ / n;
  const double middle = (rate + kZ * kZ / (2 * n)) / scale;
  const double half = kZ / scale * std::sqrt(rate * (1 - rate) / n + kZ * kZ / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace luf::report
