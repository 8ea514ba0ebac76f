// From the counts of many guests to one table: pure functions.
#pragma once

#include <string>
#include <vector>

#include "report/summary.h"
#include "run/boot_time.h"

namespace luf::run {

/// A quotient of two sums of what a guest counted: names of counters, or of metrics as "id.name".
struct Ratio {
  std::string title;  ///< e.g. "received shootdown IPIs per reclaimed page"
  std::vector<std::string> over;
  std::vector<std::string> under;
};

/// The ratio in one guest; 0 when nothing was counted below the line.
double value_of(const Ratio& ratio, const report::Summary& summary);

/// One arm in one case.
struct Row {
  std::string arm;
  std::vector<double> values;  ///< of the ratio, boot by boot
  std::vector<double>
      changes;  ///< against the baseline's boot with the same seed, per cent; empty: the baseline is 0
  std::vector<report::Summary> boots;

  double change() const { return changes.empty() ? 0 : spread_of(changes).median; }
};

/// `boots` of an arm, and those of the arm it is compared with.
Row row_of(const std::string& arm, const Ratio& ratio, const std::vector<report::Summary>& boots,
           const std::vector<report::Summary>& baseline);

/// "n, min, median, max, change in per cent (min, median, max)" for every row; then, where a row has them, flushes
/// by cause and the highest number of pending frames (medians).
std::string to_table(const std::string& title, const std::vector<Row>& rows);

}  // namespace luf::run
