// Workload: runs the kernel's own selftests, one after the other, and tells their results as KTAP through /dev/kmsg: they
// appear on the console, whole lines each, where KUnit's results appear too.
//
// What to run stands in /selftests/list, one a line: `shell COMMAND` prepares something by the image's /bin/sh, `run PROGRAM
// ARGUMENT...` runs a program of /selftests, `pinned PROGRAM ARGUMENT...` does so on one CPU. A test passes with status 0, is skipped with 4, as everywhere in kselftest.
//
// Left alone, the tests would not make LUF defer anything: they write what they map. So they run from the disk, and beside them
// page cache is reclaimed all the time, which takes their own text away from them: their address spaces have deferrals pending.
// Anonymous memory is left alone, since tests look at where it is.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr const char* kSource = "/selftests";
constexpr const char* kDirectory = "/mnt/selftests";
constexpr const char* kReclaim = "/sys/fs/cgroup/lufbed/memory.reclaim";
constexpr std::string_view kRequest = "256K swappiness=0";
constexpr std::uint64_t kReclaimPeriodNs = 5'000'000;
constexpr int kSkip = 4;
constexpr std::size_t kLineLimit = 400;  // bytes of a line that is told; the kernel cuts at about 1000
constexpr std::uint64_t kOutputLimit =
    64 << 10;  // bytes of a test that are told, so that none fills the console

constexpr std::array<Param, 1> kParams{{
    {.name = "limit",
     .type = ParamType::duration,
     .default_number = 180'000'000'000,
     .min = 1'000'000'000,
     .max = 3'600'000'000'000,
     .summary = "time each test may take"},
}};

/// The kernel's log, a line each write. Warnings, since the console shows nothing below.
class Log {
 public:
  Log() : fd_(open("/dev/kmsg", O_WRONLY | O_CLOEXEC)) {}
  bool good() const { return fd_ >= 0; }
  void line(const std::string& text) const {
    const std::string record = "<4>" + text.substr(0, kLineLimit) + "\n";
    if (write(fd_, record.data(), record.size()) < 0) _exit(1);
  }

 private:
  int fd_;
};

/// Tells whole lines of a test's output, two levels in.
class Relay {
 public:
  explicit Relay(const Log& log) : log_(log) {}
  void take(const char* bytes, std::size_t length) {
    for (std::size_t i = 0; i < length; ++i) {
      if (bytes[i] == '\n') {
        flush();
      } else if (bytes[i] == '\r') {
        overwritten_ = true;
      } else {
        if (std::exchange(overwritten_, false)) line_.clear();
        if (line_.size() < kLineLimit) line_ += bytes[i];
      }
    }
  }
  void flush() {
    const bool is_result = line_.starts_with("ok ") || line_.starts_with("not ok ");
    told_ += is_result ? 0 : line_.size();
    if (!line_.empty() && (is_result || told_ < kOutputLimit)) log_.line("        " + line_);
    line_.clear();
    overwritten_ = false;
  }

 private:
  const Log& log_;
  std::string line_;
  bool overwritten_ = false;  ///< by what comes next, as on a terminal: the line shows progress
  std::uint64_t told_ = 0;
};

/// The agent, and what it starts, sits on one CPU; tests may use all.
void use_all_cpus() {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
  sched_setaffinity(0, sizeof(all), &all);
}

[[noreturn]] void become(const std::vector<std::string>& words, bool pinned, int output) {
  setpgid(0, 0);
  if (!pinned) use_all_cpus();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const std::string program = "./" + words.front();
  execv(program.c_str(), arguments.data());
  std::printf("cannot run %s: %s\n", words.front().c_str(), std::strerror(errno));
  std::fflush(stdout);
  _exit(127);
}

/// What goes behind the name of a test that did not pass.
std::string directive(int status, bool late) {
  if (late) return " # TIMEOUT";
  if (WIFSIGNALED(status)) return " # signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) == kSkip) return " # SKIP";
  return WEXITSTATUS(status) == 0 ? "" : " # exit " + std::to_string(WEXITSTATUS(status));
}

class Tests {
 public:
  explicit Tests(PartContext& context)
      : context_(context),
        limit_ns_(context.number("limit")),
        passed_(context.metric("passed")),
        failed_(context.metric("failed")),
        skipped_(context.metric("skipped")) {
    if (!log_.good()) context.fail("open /dev/kmsg: %s", std::strerror(errno));
    setenv("PATH", "/bin", 1);
    copy_programs();
    if (chdir(kDirectory) != 0) context.fail("enter %s: %s", kDirectory, std::strerror(errno));
  }

  void run_list(std::istream& list) {
    log_.line("KTAP version 1");
    for (std::string line; std::getline(list, line) && !context_.stopping();) {
      std::istringstream stream(line);
      std::vector<std::string> words;
      for (std::string word; stream >> word;) words.push_back(word);
      if (words.size() >= 2 && words[0] == "shell") prepare(line.substr(line.find(words[1])));
      const bool pinned = !words.empty() && words[0] == "pinned";
      if (words.size() >= 2 && (pinned || words[0] == "run")) run({words.begin() + 1, words.end()}, pinned);
    }
  }

 private:
  void copy_programs() {
    DIR* source = opendir(kSource);
    if (source == nullptr) context_.fail("this image holds no selftests (no %s)", kSource);
    mkdir(kDirectory, 0755);
    while (const dirent* entry = readdir(source)) {
      if (entry->d_type == DT_REG) copy(entry->d_name);
    }
    closedir(source);
    sync();  // what is dirty cannot be reclaimed
  }

  void copy(const std::string& name) {
    const int from = open((kSource + ("/" + name)).c_str(), O_RDONLY | O_CLOEXEC);
    const int to = open((kDirectory + ("/" + name)).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    ssize_t sent = 0;
    while ((sent = sendfile(to, from, nullptr, std::size_t{1} << 30U)) > 0) {
    }
    if (sent < 0) context_.fail("copy %s to the disk: %s", name.c_str(), std::strerror(errno));
    close(from);
    close(to);
  }

  void prepare(const std::string& command) {
    if (std::system(command.c_str()) != 0) context_.fail("failed: %s", command.c_str());
  }

  void run(const std::vector<std::string>& words, bool pinned) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) context_.fail("pipe: %s", std::strerror(errno));
    const pid_t child = fork();
    if (child < 0) context_.fail("fork: %s", std::strerror(errno));
    if (child == 0) become(words, pinned, ends[1]);
    close(ends[1]);
    int status = 0;
    const bool late = !relay_until_end(ends[0], child, status);
    kill(-child, SIGKILL);  // also what the test has left behind
    if (late) waitpid(child, &status, 0);
    close(ends[0]);
    tell(words, status, late);
  }

  /// False when the time was over; else the test has ended with `status`.
  bool relay_until_end(int output, pid_t child, int& status) {
    Relay relay(log_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(limit_ns_);
    bool ended = false;
    char bytes[4096];
    while (std::chrono::steady_clock::now() < deadline && !context_.stopping()) {
      context_.tick().fetch_add(1, std::memory_order_relaxed);
      pollfd waiting{output, POLLIN, 0};
      const bool readable = poll(&waiting, 1, 100) > 0;
      const ssize_t length = readable ? read(output, bytes, sizeof(bytes)) : 0;
      if (length > 0) relay.take(bytes, static_cast<std::size_t>(length));
      if (length > 0) continue;
      // Asked only when there is nothing to read: a process that the test left behind may hold the pipe open.
      ended = waitpid(child, &status, WNOHANG) == child;
      if (ended) break;
      if (readable) sleep_ns(10'000'000);  // its output is closed, so poll() does not wait
    }
    relay.flush();
    return ended;
  }

  void tell(const std::vector<std::string>& words, int status, bool late) {
    const std::string why = directive(status, late);
    const bool skipped = why == " # SKIP";
    std::string name;
    for (const std::string& word : words) name += (name.empty() ? "" : " ") + word;
    log_.line((why.empty() || skipped ? "    ok " : "    not ok ") + std::to_string(++count_) + " " + name +
              why);
    (why.empty() ? passed_ : skipped ? skipped_ : failed_).fetch_add(1);
  }

  PartContext& context_;
  std::uint64_t limit_ns_;
  std::atomic<std::uint64_t>& passed_;
  std::atomic<std::uint64_t>& failed_;
  std::atomic<std::uint64_t>& skipped_;
  Log log_;
  int count_ = 0;
};

void reclaim_page_cache(PartContext& context) {
  const int fd = open(kReclaim, O_WRONLY | O_CLOEXEC);
  if (fd < 0) context.fail("open %s: %s", kReclaim, std::strerror(errno));
  while (!context.stopping()) {
    // EAGAIN says that there was less to take.
    if (write(fd, kRequest.data(), kRequest.size()) < 0 && errno != EAGAIN)
      context.fail("write to %s: %s", kReclaim, std::strerror(errno));
    sleep_ns(kReclaimPeriodNs);
  }
}

void run(PartContext& context) {
  Tests tests(context);
  std::ifstream list("list");
  if (!list) context.fail("cannot read %s/list", kDirectory);
  context.wait_for_start();
  context.fork_pinned(context.worker_cpu(0), [&context] { reclaim_page_cache(context); });
  tests.run_list(list);
}

}  // namespace

extern const Part kselftest{.kind = PartKind::workload,
                            .name = "kselftest",
                            .summary = "runs the kernel's own selftests and ends with the last of them",
                            .params = kParams,
                            .needs_disk = true,
                            .needs_swap = true,
                            .ends_by_itself = true,
                            .run = run};

}  // namespace luf::guest
