// Runs asynchronous work to its end and hands Ctrl-C to it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>

#include "async/task_group.h"
#include "report/progress.h"
#include "run/campaign.h"
#include "run/settings.h"

namespace luf::cli {

/// One io_context, one thread. The first Ctrl-C (or SIGTERM) asks the work to stop, the second ends this
/// program at once; guests die with it.
class Session {
 public:
  Session();

  /// Runs `work` to its end. What it throws comes out here.
  void run(const std::function<Task<void>(const run::Environment&)>& work);

  bool interrupted() const { return interrupt_.asked(); }

 private:
  Task<void> watch_signals();
  Task<void> supervise(Task<void> work);
  boost::asio::io_context context_{1};
  Clock clock_;
  run::Interrupt interrupt_;
  report::Progress progress_;
  boost::asio::signal_set signals_;
  TaskGroup tasks_;
};

/// Runs `jobs` as run::run_all() does, in a session of their own. Errors: infra when nothing could run at all.
Result<run::Outcome> run_jobs(const run::Settings& settings, const std::vector<run::Job>& jobs);

}  // namespace luf::cli
