#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "cli/history_options.h"
#include "report/metrics.h"

namespace luf::cli {
namespace {

struct ServeOptions {
  HistoryOption history;
  std::string listen = "127.0.0.1:9469";
};

int serve(const ServeOptions& options) {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ends, signal);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before the server starts its threads, which inherit it
  const auto server = report::MetricsServer::start(options.history.file, options.listen);
  if (!server) return report_error(server.error());
  fmt::print("serving {} at port {}, path /metrics\n", options.history.file, (*server)->port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  return signal == SIGINT ? kExitInterrupted : 0;
}

struct MetricsOptions {
  HistoryOption history;
  std::string textfile;
  std::string push;
  std::string job = "lufbed";
};

int metrics(const MetricsOptions& options) {
  if (!options.push.empty()) {
    const Result<void> pushed = report::push_metrics(options.history.file, options.push, options.job);
    return pushed ? 0 : report_error(pushed.error());
  }
  const Result<std::string> text = report::metrics_text(options.history.file);
  if (!text) return report_error(text.error());
  if (!options.textfile.empty()) return write_output(options.textfile, *text);
  fmt::print("{}", *text);
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command =
      app.add_subcommand("serve", "Answer Prometheus' scrapes from the history, until Ctrl-C");
  options->history.add_to(*command);
  command->add_option("--listen", options->listen, "Address and port")->capture_default_str();
  command->callback([options, &action] { action = [options] { return serve(*options); }; });
}

void add_metrics(CLI::App& app, Action& action) {
  auto options = std::make_shared<MetricsOptions>();
  CLI::App* command = app.add_subcommand("metrics", "Print the history as Prometheus metrics, once");
  options->history.add_to(*command);
  command->add_option("--textfile", options->textfile,
                      "Write them to this file instead, for node_exporter; it is replaced as a whole");
  command->add_option("--push", options->push, "Push them to a Pushgateway at HOST:PORT instead");
  command->add_option("--job", options->job, "Under this name")->capture_default_str();
  command->callback([options, &action] { action = [options] { return metrics(*options); }; });
}

}  // namespace luf::cli
