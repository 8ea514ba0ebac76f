// Injector: holds one virtual CPU still while the others run on, as a busy host does that takes its core away: what it has
// in its TLB grows old. Done by seizing the thread (ptrace); should this program die, the thread runs on by itself.
// Seen by: the CPU time of that thread, which does not move, while that of the whole QEMU does.
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "inject/injector.h"

namespace luf::inject {
namespace {

using nlohmann::json;
constexpr std::chrono::seconds kAnswer(20);
constexpr std::chrono::milliseconds kPoll(1);

/// User and system time of a process or one of its threads, in ticks of the host.
std::int64_t ticks(const std::string& stat) {
  const std::string text = read_file(stat).value_or("");
  std::size_t at = text.rfind(')');
  for (int field = 2; field < 14 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  if (at == std::string::npos) return 0;
  char* rest = nullptr;
  const long user = std::strtol(text.c_str() + at, &rest, 10);
  return user + std::strtol(rest, nullptr, 10);
}

/// The thread under our hand; it goes on when this is destroyed.
class Held {
 public:
  explicit Held(pid_t thread) : thread_(thread) {
    seized_ = ::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0 &&
              ::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0;
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    if (!seized_) return;
    // Not while it runs, which it soon does no more. One that was killed must be waited for: until then its whole process
    // cannot be.
    while (::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr) != 0) {
      int status = 0;
      if (::waitpid(thread_, &status, __WALL) != thread_ || WIFEXITED(status) || WIFSIGNALED(status)) return;
    }
  }
  bool seized() const { return seized_; }
  bool stands() {
    stands_ = stands_ || ::waitpid(thread_, nullptr, __WALL | WNOHANG) == thread_;
    return stands_;
  }

 private:
  pid_t thread_;
  bool seized_ = false;
  bool stands_ = false;
};

Task<Result<Effect>> disturb(Context& context) {
  const Result<json> cpus = co_await ask(context, "query-cpus-fast");
  if (!cpus) co_return pass_on(cpus);
  if (!cpus->is_array() || cpus->empty()) co_return fail(Blame::kInfra, "QEMU names no virtual CPU");
  // The last one: there detectors read.
  const pid_t thread = cpus->back().value("thread-id", -1);
  const std::string own = fmt::format("/proc/{0}/task/{0}/stat", thread);
  const std::string all = fmt::format("/proc/{}/stat", thread);
  Held held(thread);
  if (!held.seized())
    co_return fail(Blame::kInfra, "cannot seize the thread {} of a virtual CPU: {}", thread,
                   std::strerror(errno));
  const TimePoint late = context.clock.now() + kAnswer;
  while (!held.stands() && context.clock.now() < late) co_await pause_for(context, kPoll);
  const std::int64_t own_before = ticks(own);
  const std::int64_t all_before = ticks(all);
  co_await pause_for(context, context.length);
  const std::int64_t own_after = ticks(own);
  const std::int64_t all_after = ticks(all);
  Effect effect{{{"cpu_ticks", own_before}, {"qemu_ticks", all_before}},
                {{"cpu_ticks", own_after}, {"qemu_ticks", all_after}},
                own_after == own_before && all_after > all_before};
  co_return effect;
}

}  // namespace

extern const Injector vcpu_stall{
    "vcpu_stall", "holds the last virtual CPU still for a while", 200, {}, disturb};

}  // namespace luf::inject
