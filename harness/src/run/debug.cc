#include "run/debug.h"

#include <sys/wait.h>
#include <unistd.h>

#include "artifact/symbols.h"
#include "base/file.h"
#include "run/accel.h"
#include "run/run_scenario.h"
#include "run/steering.h"

namespace luf::run {
namespace {

namespace fs = std::filesystem;

/// Called in the guest program when a violation has just been seen.
constexpr const char* kMarker = "luf_violation";
constexpr const char* kGdbMissing = "cannot start gdb; install the package gdb";
constexpr int kNotFound = 127;

fs::path guest_program() { return executable_directory() / "luf-guest"; }

/// In the foreground, with this program's terminal.
int run_foreground(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(arguments.front(), arguments.data());
    ::_exit(kNotFound);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : kNotFound;
}

Task<void> run_gdb(fs::path kernel, fs::path socket, DebugSession session, int& status) {
  status = run_foreground(gdb_command(kernel, guest_program(), socket, session));
  co_return;
}

/// Instructions executed when the violation was seen.
Task<Result<Steered>> count(const Environment& environment, const Ready& ready, const Recorded& recorded) {
  const auto symbols = artifact::symbols_of(guest_program());
  if (!symbols) co_return pass_on(symbols);
  const auto marker = symbols->find(kMarker);
  if (marker == symbols->end())
    co_return fail(Blame::kInfra, "{} has no {}", guest_program().string(), kMarker);
  Settings settings = ready.settings;
  settings.stop.watch = marker->second;
  const report::Summary summary =
      co_await run_scenario(environment, settings, recorded.job, deterministic_choice(), ready.qemu_version);
  if (summary.digest != recorded.digest->whole())
    co_return fail(Blame::kInfra, "the run did not repeat ({}); `lufbed repro` says where it parted",
                   summary.directory.string());
  const Result<Steered> steered = read_steered(summary.directory / "steer.json");
  if (!steered) co_return pass_on(steered);
  if (steered->watched_at == 0)
    co_return fail(Blame::kInfra, "no detector in the guest saw a violation in {}",
                   recorded.directory.string());
  co_return *steered;
}

}  // namespace

std::vector<std::string> gdb_command(const fs::path& kernel, const fs::path& guest, const fs::path& socket,
                                     const DebugSession& session) {
  std::vector<std::string> words{"gdb", "-q", "-nx"};
  if (session.batch) words.emplace_back("-batch");
  const auto execute = [&words](std::string command) {
    words.insert(words.end(), {"-ex", std::move(command)});
  };
  execute("set confirm off");
  execute("set pagination off");
  execute("set architecture i386:x86-64");
  execute("file " + kernel.string());
  execute("add-symbol-file " + guest.string());
  execute("target remote " + socket.string());
  execute(fmt::format("thread {}", session.cpu + 1));  // gdb counts from one
  for (const std::string& command : session.commands) execute(command);
  return words;
}

Task<Result<int>> debug(const Environment& environment, const Ready& ready, const Recorded& recorded,
                        const DebugSession& wanted) {
  if (!recorded.digest)
    co_return fail(Blame::kScenario, "{}: only a deterministic run can be stopped at its violation",
                   recorded.directory.string());
  const Result<Steered> seen = co_await count(environment, ready, recorded);
  if (!seen) co_return pass_on(seen);
  DebugSession session = wanted;
  session.cpu = seen->watched_cpu;
  int status = -1;
  Settings settings = ready.settings;
  settings.stop.at = seen->watched_at > session.before ? seen->watched_at - session.before : 1;
  settings.debugger = [&](const fs::path& socket) {
    return run_gdb(settings.kernel.file, socket, session, status);
  };
  const report::Summary summary =
      co_await run_scenario(environment, settings, recorded.job, deterministic_choice(), ready.qemu_version);
  if (status == kNotFound) co_return fail(Blame::kInfra, "{}", kGdbMissing);
  if (status < 0)
    co_return fail(Blame::kInfra, "the guest did not stop where the violation was: {} ({})",
                   summary.verdict.reason, summary.directory.string());
  co_return status;
}

}  // namespace luf::run
