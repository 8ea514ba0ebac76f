// Injector: competes for the core of the last virtual CPU, where detectors read, as a busy host does: a thread of ours
// spins wherever that one last ran. Seen by: how long the host let the virtual CPU wait though it could have run, which
// must be a tenth of the time.
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "inject/injector.h"

namespace luf::inject {
namespace {

using nlohmann::json;
constexpr std::chrono::milliseconds kStep(5);

/// A thread that does nothing but take time; over when this is destroyed.
class Busy {
 public:
  Busy() : thread_([this] { spin(); }) {}
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() {
    over_.store(true);
    thread_.join();
  }
  void move_to(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(core), &set);
    ::pthread_setaffinity_np(thread_.native_handle(), sizeof(set), &set);
  }

 private:
  void spin() const {
    while (!over_.load(std::memory_order_relaxed)) {
    }
  }
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

std::string file_of(pid_t thread, const char* name) {
  return read_file(fmt::format("/proc/{0}/task/{0}/{1}", thread, name)).value_or("");
}

/// The core it last ran on, or -1.
int core_of(pid_t thread) {
  const std::string text = file_of(thread, "stat");
  std::size_t at = text.rfind(')');
  for (int field = 2; field < 39 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  return at == std::string::npos ? -1 : std::atoi(text.c_str() + at);
}

/// How long it could have run and did not.
std::int64_t waited_ns(pid_t thread) {
  const std::string text = file_of(thread, "schedstat");
  const std::size_t at = text.find(' ');
  return at == std::string::npos ? 0 : std::strtoll(text.c_str() + at, nullptr, 10);
}

Task<Result<Effect>> disturb(Context& context) {
  const Result<json> cpus = co_await ask(context, "query-cpus-fast");
  if (!cpus) co_return pass_on(cpus);
  if (!cpus->is_array() || cpus->empty()) co_return fail(Blame::kInfra, "QEMU names no virtual CPU");
  const pid_t thread = cpus->back().value("thread-id", -1);
  if (core_of(thread) < 0)
    co_return fail(Blame::kInfra, "cannot tell where the thread {} of a virtual CPU runs", thread);
  const std::int64_t before = waited_ns(thread);
  const TimePoint end = context.clock.now() + context.length;
  {
    Busy busy;
    while (context.clock.now() < end) {
      if (const int core = core_of(thread); core >= 0) busy.move_to(core);
      co_await pause_for(context, kStep);
    }
  }
  const std::int64_t after = waited_ns(thread);
  co_return Effect{
      {{"waited_ns", before}}, {{"waited_ns", after}}, after - before >= context.length.count() / 10};
}

}  // namespace

extern const Injector cpu_contention{
    "cpu_contention", "competes for the core of the last virtual CPU", 500, {}, disturb};

}  // namespace luf::inject
