#include "cli/session.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "cli/command.h"

namespace luf::cli {

Session::Session()
    : progress_(::isatty(STDERR_FILENO) == 1),
      signals_(context_, SIGINT, SIGTERM),
      tasks_(context_.get_executor(), clock_) {}

Task<void> Session::watch_signals() {
  while (true) {
    co_await signals_.async_wait(boost::asio::use_awaitable);
    if (interrupt_.asked()) {
      std::fputs("stopped at once; the run directory keeps the verdict \"incomplete\"\n", stderr);
      ::_exit(kExitInterrupted);
    }
    progress_.say("stopping the current guest; once more stops at once");
    interrupt_.ask();
  }
}

Task<void> Session::supervise(Task<void> work) {
  tasks_.start(watch_signals());
  std::exception_ptr failure;
  try {
    co_await std::move(work);
  } catch (...) {
    failure = std::current_exception();
  }
  tasks_.cancel();
  co_await tasks_.join();
  if (failure) std::rethrow_exception(failure);
}

void Session::run(const std::function<Task<void>(const run::Environment&)>& work) {
  const run::Environment environment{context_.get_executor(), clock_, interrupt_, progress_};
  std::exception_ptr failure;
  boost::asio::co_spawn(context_, supervise(work(environment)),
                        [&failure](const std::exception_ptr& error) { failure = error; });
  context_.run();
  if (failure) std::rethrow_exception(failure);
}

namespace {

Task<void> work(const run::Environment& environment, const run::Settings& settings,
                const std::vector<run::Job>& jobs, Result<run::Outcome>& outcome) {
  outcome = co_await run::run_all(environment, settings, jobs);
}

}  // namespace

Result<run::Outcome> run_jobs(const run::Settings& settings, const std::vector<run::Job>& jobs) {
  Session session;
  Result<run::Outcome> outcome;
  session.run(
      [&](const run::Environment& environment) { return work(environment, settings, jobs, outcome); });
  return outcome;
}

}  // namespace luf::cli
