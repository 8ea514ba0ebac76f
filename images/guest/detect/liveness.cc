// Detector of R13 (liveness): with deferrals pending the kernel still serves who is short of memory, and goes on when CPUs
// go and come.
//
//   act       one process takes and touches memory, forks, and takes a CPU off and on again, over and over, while other
//             parts keep deferrals pending
//   promise   none: each of these calls must end, and must not fail
//   observe   the part's main process looks whether there was any progress in the last `limit`: an operation that ended, or
//             one page more of the memory taken. How long a whole operation takes depends on the host
//
// Proof of R13: there was none, or a call failed. The console adds what the kernel itself says of deadlocks, of sleep in atomic
// context and of failed allocations (lufbed judges it). `loads` are the words touched and read back, `tries` the
// operations. Cannot see: an allocation in atomic context that fails without a word on the console, for no program waits
// for it. The CPU is the last of those that are not for readers, so `migrate` should run on the first; `cpu` none
// leaves all where they are.
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "agent/kernel_files.h"
#include "lib/page_pattern.h"
#include "lib/params.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 1> kRules{"R13"};
constexpr std::array<std::string_view, 2> kCpus{"last", "none"};
constexpr std::array<Param, 3> kParams{{
    {.name = "amount",
     .type = ParamType::size,
     .default_number = 64U << 20U,
     .min = 4096,
     .max = 1U << 30U,
     .summary = "memory taken at once"},
    choice_param("cpu", kCpus, "which of the CPUs that are not for detectors' readers goes and comes"),
    duration_param("limit", 5'000'000'000, 1'000'000, "how long there may be no progress"),
}};

constexpr std::array kOperations{"taking memory", "a fork", "taking a CPU off", "taking a CPU on"};

/// Shared by the process that works and the one that watches it.
struct Work {
  std::atomic<std::uint64_t> progress;
  std::atomic<std::uint64_t> last_ns;    ///< when there was some
  std::atomic<std::uint32_t> operation;  ///< index in kOperations
};

std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void report(PartContext& context, std::uint32_t operation, const char* what, std::uint64_t ms) {
  char detail[256];
  std::snprintf(detail, sizeof(detail), "In %llu ms %s %s.", static_cast<unsigned long long>(ms),
                kOperations[operation], what);
  Evidence evidence;
  evidence.number("operation", operation);
  evidence.number("ms", ms);
  context.report("R13", detail, evidence);
}

void go_on(Work& work) {
  work.last_ns.store(now_ns());
  work.progress.fetch_add(1);
}

bool take_memory(PartContext& context, std::uint64_t bytes, Work& work) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return false;
  madvise(at, bytes, MADV_NOHUGEPAGE);
  auto* words = static_cast<volatile std::uint64_t*>(at);
  bool same = true;
  for (std::uint64_t word = 0; word < bytes / 8; word += kPageSize / 8) {
    words[word] = word + 1;
    go_on(work);
  }
  for (std::uint64_t word = 0; word < bytes / 8; word += kPageSize / 8)
    same = same && words[word] == word + 1;
  context.loads().fetch_add(bytes / kPageSize, std::memory_order_relaxed);
  return munmap(at, bytes) == 0 && same;
}

bool fork_once() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  return child > 0 && waitpid(child, nullptr, 0) == child;
}

bool operate(PartContext& context, std::uint32_t operation, const std::string& switch_file, Work& work) {
  if (operation == 0) return take_memory(context, context.number("amount"), work);
  if (operation == 1) return fork_once();
  return switch_file.empty() || write_text(switch_file, operation == 2 ? "0" : "1").empty();
}

void work_on(PartContext& context, Work& work) {
  auto& tries = context.metric("tries");
  const unsigned cpu = context.topology().worker_cpus() - 1;
  std::string switch_file = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online";
  if (cpu == 0 || context.choice("cpu") == "none" || !exists(switch_file)) switch_file.clear();
  context.spin_for_start();
  for (std::uint32_t operation = 0; !context.stopping() || operation == 3;
       operation = (operation + 1) % kOperations.size()) {
    work.operation.store(operation);
    go_on(work);
    if (!operate(context, operation, switch_file, work)) report(context, operation, "failed", 0);
    tries.fetch_add(1);
  }
}

void watch(PartContext& context, const Work& work) {
  const std::uint64_t limit = context.number("limit");
  std::uint64_t told = ~std::uint64_t{0};
  context.wait_for_start();
  while (!context.stopping()) {
    sleep_ns(1'000'000);
    const std::uint64_t progress = work.progress.load();
    const std::uint64_t last = work.last_ns.load();
    const std::uint64_t now = now_ns();
    if (last == 0 || progress == told || now < last + limit || work.progress.load() != progress) continue;
    told = progress;
    report(context, work.operation.load(), "made no progress", (now - last) / 1'000'000);
  }
}

void run(PartContext& context) {
  context.metric("tries");
  void* at = mmap(nullptr, sizeof(Work), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  auto& work = *static_cast<Work*>(at);
  context.fork_pinned(context.worker_cpu(0), [&] { work_on(context, work); });
  watch(context, work);
  context.supervise();
}

}  // namespace

extern const Part liveness{.kind = PartKind::detector,
                           .name = "liveness",
                           .summary = "with deferrals pending memory is served and CPUs go and come",
                           .rules = kRules,
                           .params = kParams,
                           .needs_swap = true,
                           .run = run};

}  // namespace luf::guest
