#include "run/comparison.h"

#include <algorithm>
#include <set>

namespace luf::run {
namespace {

double sum_of(const std::vector<std::string>& names, const report::Summary& summary) {
  std::uint64_t sum = 0;
  for (const std::string& name : names) {
    const auto& counts = name.find('.') == std::string::npos ? summary.counters : summary.metrics;
    const auto found = counts.find(name);
    if (found != counts.end()) sum += found->second;
  }
  return static_cast<double>(sum);
}

std::string number(double value) {
  return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

/// Signed, so that a loss cannot be read as a gain.
std::string per_cent(double value) { return fmt::format("{:+.2f}", value); }

/// The median over the boots of a count by name.
double median_of(const std::vector<report::Summary>& boots,
                 std::map<std::string, std::uint64_t> report::Summary::*counts, const std::string& name) {
  std::vector<double> values;
  for (const report::Summary& boot : boots) {
    const auto found = (boot.*counts).find(name);
    values.push_back(found == (boot.*counts).end() ? 0 : static_cast<double>(found->second));
  }
  return spread_of(values).median;
}

std::string flushes_of(const Row& row) {
  std::set<std::string> causes;
  for (const report::Summary& boot : row.boots) {
    for (const auto& [cause, count] : boot.flushes) causes.insert(cause);
  }
  std::string text;
  for (const std::string& cause : causes) {
    const double median = median_of(row.boots, &report::Summary::flushes, cause);
    if (median > 0) text += fmt::format("{}{} {:.0f}", text.empty() ? "" : ", ", cause, median);
  }
  return text.empty() ? "-" : text;
}

std::string line_of(const Row& row, std::size_t width) {
  const Spread value = spread_of(row.values);
  std::string text = fmt::format("{:<{}} {:>3} {:>9} {:>9} {:>9}", row.arm, width, row.values.size(),
                                 number(value.min), number(value.median), number(value.max));
  if (row.changes.empty()) {
    text += fmt::format("  {:>9} {:>9} {:>9}", "-", "-", "-");
  } else {
    const Spread change = spread_of(row.changes);
    text += fmt::format("  {:>9} {:>9} {:>9}", per_cent(change.min), per_cent(change.median),
                        per_cent(change.max));
  }
  return text + fmt::format("  {:>7.0f}  {}\n",
                            median_of(row.boots, &report::Summary::gauges, "luf_pending_max"),
                            flushes_of(row));
}

}  // namespace

double value_of(const Ratio& ratio, const report::Summary& summary) {
  const double under = sum_of(ratio.under, summary);
  return under == 0 ? 0 : sum_of(ratio.over, summary) / under;
}

Row row_of(const std::string& arm, const Ratio& ratio, const std::vector<report::Summary>& boots,
           const std::vector<report::Summary>& baseline) {
  Row row{arm, {}, {}, boots};
  for (const report::Summary& boot : boots) row.values.push_back(value_of(ratio, boot));
  for (std::size_t i = 0; i < std::min(boots.size(), baseline.size()); ++i) {
    const double before = value_of(ratio, baseline[i]);
    if (before > 0) row.changes.push_back(100 * (row.values[i] / before - 1));
  }
  return row;
}

std::string to_table(const std::string& title, const std::vector<Row>& rows) {
  std::size_t width = 3;
  for (const Row& row : rows) width = std::max(width, row.arm.size());
  std::string text =
      fmt::format("{}\n{:<{}} {:>3} {:>9} {:>9} {:>9}  {:>9} {:>9} {:>9}  {:>7}  {}\n", title, "arm", width,
                  "n", "min", "median", "max", "change, %", "median", "max", "pending", "flushes by cause");
  for (const Row& row : rows) text += line_of(row, width);
  return text;
}

}  // namespace luf::run
