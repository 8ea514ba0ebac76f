#include "machine/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace luf::machine {
namespace {

constexpr rlim_t kNoCores = 0;

/// Runs in the child between fork and exec: only async-signal-safe calls. Returns the error of what failed.
int become(const Command& command, char* const* words, pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  if (::getppid() != parent) return ESRCH;  // it died before the line above
  ::setsid();
  const struct rlimit no_cores { kNoCores, kNoCores };
  ::setrlimit(RLIMIT_CORE, &no_cores);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  const int input = ::open("/dev/null", O_RDONLY);
  const int output = ::open(command.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (input < 0 || output < 0) return errno;
  if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0) return errno;
  if (command.pass_fd == kPassedFd) {
    ::fcntl(kPassedFd, F_SETFD, 0);
  } else if (command.pass_fd >= 0 && ::dup2(command.pass_fd, kPassedFd) < 0) {
    return errno;
  }
  ::execvp(words[0], words);
  return errno;
}

/// What the child wrote before it gave up, or 0 when the pipe closed at a successful exec. A signal that interrupts the
/// wait says nothing about the child.
int exec_error(int report) {
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(report, &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  return got == sizeof(error) ? error : 0;
}

}  // namespace

Result<void> Process::start(const Command& command) {
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    return fail(Blame::kInfra, "cannot create a pipe: {}", std::strerror(errno));
  // Out of the way of kPassedFd, which dup2 would overwrite.
  const int report = ::fcntl(pipe[1], F_DUPFD_CLOEXEC, 10);
  ::close(pipe[1]);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    const int error = become(command, words.data(), parent);
    [[maybe_unused]] const ssize_t told = ::write(report, &error, sizeof(error));
    ::_exit(127);
  }
  ::close(report);
  int error = pid_ < 0 ? errno : 0;
  if (pid_ > 0) error = exec_error(pipe[0]);
  ::close(pipe[0]);
  if (error == 0) {
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (pidfd >= 0) {
      pidfd_.assign(pidfd);
      return {};
    }
    error = errno;
    signal(SIGKILL);
  }
  if (pid_ > 0) reap(0);
  return fail(Blame::kInfra, "cannot start {}: {}", command.words.front(), std::strerror(error));
}

void Process::reap(int flags) {
  int status = 0;
  if (end_) return;
  pid_t found = 0;
  do {
    found = ::waitpid(pid_, &status, flags);
  } while (found < 0 && errno == EINTR);
  if (found != pid_) return;
  ProcessEnd end;
  if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
  } else {
    end.code = WEXITSTATUS(status);
  }
  end_ = end;
}

Task<void> Process::watch(Wake& changed) {
  while (!end_) {
    co_await pidfd_.async_wait(boost::asio::posix::stream_descriptor::wait_read, boost::asio::use_awaitable);
    reap(WNOHANG);
  }
  changed.notify();
}

void Process::signal(int signal) {
  if (pid_ > 0 && !end_) ::kill(pid_, signal);
}

Process::~Process() {
  if (pid_ <= 0 || end_) return;
  signal(SIGKILL);
  reap(0);
}

}  // namespace luf::machine
