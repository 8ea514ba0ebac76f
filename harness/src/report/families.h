// From the history to metric families. Label sets are closed: names of campaign files and of their kernels, and the
// words of the contract, never a seed or a path.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <filesystem>
#include <vector>

#include "history/history.h"

namespace luf::report {

/// Reads the history. Errors: infra.
Result<std::vector<prometheus::MetricFamily>> families_of(const std::filesystem::path& history);

/// What Prometheus' client asks for metrics. Thread: any; each call opens the history anew.
class HistoryMetrics : public prometheus::Collectable {
 public:
  explicit HistoryMetrics(std::filesystem::path history) : history_(std::move(history)) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::filesystem::path history_;
};

}  // namespace luf::report
