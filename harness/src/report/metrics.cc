#include "report/metrics.h"

#include <prometheus/exposer.h>
#include <prometheus/gateway.h>
#include <prometheus/text_serializer.h>

#include <exception>
#include <sstream>

#include "report/families.h"

namespace luf::report {

Result<std::string> metrics_text(const std::filesystem::path& history) {
  const Result<std::vector<prometheus::MetricFamily>> families = families_of(history);
  if (!families) return pass_on(families);
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, *families);
  return text.str();
}

Result<void> push_metrics(const std::filesystem::path& history, const std::string& to,
                          const std::string& job) {
  const std::size_t colon = to.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == to.size())
    return fail(Blame::kScenario, "--push {}: write HOST:PORT, e.g. localhost:9091", to);
  if (const auto readable = families_of(history); !readable) return pass_on(readable);
  prometheus::Gateway gateway(to.substr(0, colon), to.substr(colon + 1), job);
  const auto metrics = std::make_shared<HistoryMetrics>(history);
  gateway.RegisterCollectable(metrics);
  const int code = gateway.Push();
  if (code >= 200 && code < 300) return {};
  return fail(Blame::kInfra, "cannot push to {}: {}", to,
              code < 0 ? std::string("nobody answers there") : fmt::format("it answered {}", code));
}

struct MetricsServer::Parts {
  std::shared_ptr<HistoryMetrics> metrics;
  std::unique_ptr<prometheus::Exposer> exposer;
};

MetricsServer::MetricsServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MetricsServer::~MetricsServer() = default;

int MetricsServer::port() const { return parts_->exposer->GetListeningPorts().front(); }

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const std::filesystem::path& history,
                                                            const std::string& listen) {
  if (const auto readable = families_of(history); !readable) return pass_on(readable);
  auto parts = std::make_unique<Parts>();
  parts->metrics = std::make_shared<HistoryMetrics>(history);
  try {
    parts->exposer = std::make_unique<prometheus::Exposer>(listen);
  } catch (const std::exception&) {  // it says no more than that it did not work
    return fail(
        Blame::kInfra,
        "cannot listen on {}: the port is in use, or the address is not of this machine; choose another with "
        "--listen",
        listen);
  }
  parts->exposer->RegisterCollectable(parts->metrics);
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(parts)));
}

}  // namespace luf::report
