// A child process that cannot outlive this program.
#pragma once

#include <sys/types.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "async/wake.h"
#include "base/result.h"

namespace luf::machine {

/// What to execute.
struct Command {
  std::vector<std::string> words;  ///< program (looked up in PATH) and arguments
  std::filesystem::path output;    ///< standard output and error go there; standard input is empty
  int pass_fd = -1;                ///< appears as kPassedFd in the child, or -1
};

inline constexpr int kPassedFd = 3;

/// How a process ended.
struct ProcessEnd {
  std::optional<int> code;
  std::optional<int> signal;
};

/// The kernel kills the child when this program dies, however it dies (PR_SET_PDEATHSIG). It runs in a
/// session of its own, so that Ctrl-C reaches only this program, and writes no core file. Thread: the
/// io_context's.
class Process {
 public:
  explicit Process(const boost::asio::any_io_executor& executor) : pidfd_(executor) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Kills and reaps the child if it still runs.
  ~Process();

  /// Errors: infra, when the program cannot be executed. At most once.
  Result<void> start(const Command& command);

  /// Waits for the end, then notifies `changed` and returns. Cancel: the child goes on.
  Task<void> watch(Wake& changed);

  /// Set once the child has ended and was reaped.
  const std::optional<ProcessEnd>& end() const { return end_; }

  /// Sends `signal` if the child still runs.
  void signal(int signal);

  pid_t pid() const { return pid_; }

 private:
  void reap(int flags);
  pid_t pid_ = -1;
  boost::asio::posix::stream_descriptor pidfd_;
  std::optional<ProcessEnd> end_;
};

}  // namespace luf::machine
