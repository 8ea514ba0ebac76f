// The history as Prometheus metrics (docs/metrics.md): nothing is counted in memory, so nothing is lost at a restart.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "history/history.h"

namespace luf::report {

/// All families in Prometheus' text format, for node_exporter's textfile collector. Errors: infra.
Result<std::string> metrics_text(const std::filesystem::path& history);

/// Pushes all families to a Pushgateway at HOST:PORT, in place of what `job` pushed before. Errors: infra; scenario.
Result<void> push_metrics(const std::filesystem::path& history, const std::string& to,
                          const std::string& job);

/// Answers scrapes at /metrics while it lives, on threads of its own; each one reads the history anew. A history that
/// cannot be read then shows as lufbed_history_up 0.
class MetricsServer {
 public:
  /// `listen`: ADDRESS:PORT; port 0 takes a free one. Errors: infra, e.g. when the port is in use.
  static Result<std::unique_ptr<MetricsServer>> start(const std::filesystem::path& history,
                                                      const std::string& listen);
  ~MetricsServer();
  int port() const;

 private:
  struct Parts;
  explicit MetricsServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace luf::report
