#include "lib/part_context.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

namespace luf::guest {

bool pin_to_cpu(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;
}

void sleep_ns(std::uint64_t ns) {
  timespec span{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  while (nanosleep(&span, &span) != 0 && errno == EINTR) {
  }
}

PartContext::PartContext(std::string id, unsigned index, const ParamValues& values, const Topology& topology,
                         std::uint64_t seed, SharedArea& area)
    : id_(std::move(id)),
      index_(index),
      owner_(owner_id(id_, index)),
      values_(values),
      topology_(topology),
      seed_(seed),
      area_(area),
      slot_(area.parts[index]) {}

std::uint64_t PartContext::number(std::string_view name) {
  const auto found = values_.numbers.find(name);
  if (found == values_.numbers.end()) {
    fail("the plan gives no number for parameter %.*s", static_cast<int>(name.size()), name.data());
  }
  return found->second;
}

std::string PartContext::choice(std::string_view name) {
  const auto found = values_.texts.find(name);
  if (found == values_.texts.end()) {
    fail("the plan gives no text for parameter %.*s", static_cast<int>(name.size()), name.data());
  }
  return found->second;
}

unsigned PartContext::reader_cpu(unsigned n) const {
  return topology_.cpus - 1 - (n + index_) % topology_.reader_cpus();
}

unsigned PartContext::worker_cpu(unsigned n) const { return n % topology_.worker_cpus(); }

std::atomic<std::uint64_t>& PartContext::metric(const char* name) {
  for (std::uint32_t i = 0; i < slot_.metric_count; ++i) {
    if (std::strcmp(slot_.metrics[i].name, name) == 0) return slot_.metrics[i].value;
  }
  if (slot_.metric_count == kMaxMetrics) fail("more than %zu metrics", kMaxMetrics);
  Metric& metric = slot_.metrics[slot_.metric_count];
  std::snprintf(metric.name, sizeof(metric.name), "%s", name);
  ++slot_.metric_count;
  return metric.value;
}

void PartContext::add_target(pid_t pid, void* address, std::uint64_t length) {
  const std::uint32_t index = area_.target_count.fetch_add(1);
  if (index >= kMaxTargets) fail("more than %zu target regions in one phase", kMaxTargets);
  Target& target = area_.targets[index];
  target.address = static_cast<char*>(address);
  target.length = length;
  target.pid.store(pid, std::memory_order_release);
}

pid_t PartContext::fork_pinned(unsigned cpu, const std::function<void()>& body) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) fail("fork: %s", std::strerror(errno));
  if (child > 0) {
    children_.push_back(child);
    return child;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  children_.clear();
  if (!pin_to_cpu(cpu)) fail("pin to CPU %u: %s", cpu, std::strerror(errno));
  body();
  _exit(0);
}

void PartContext::wait_for_start() {
  slot_.ready.store(1, std::memory_order_release);
  while (area_.start.load(std::memory_order_acquire) == 0 && !stopping()) sleep_ns(1'000'000);
  // What is periodic must not always begin in step: another seed, another beginning.
  constexpr std::uint64_t kLatest = 1'000'000;
  std::uint64_t drawn = (seed_ + 1) * 0x9e3779b97f4a7c15U + index_ * 0xbf58476d1ce4e5b9U;
  drawn = (drawn ^ (drawn >> 31U)) * 0x94d049bb133111ebU;
  sleep_ns((drawn >> 20U) % kLatest);
}

void PartContext::spin_for_start() const {
  while (area_.start.load(std::memory_order_acquire) == 0 && !stopping()) __builtin_ia32_pause();
}

bool PartContext::reap(bool block) {
  int status = 0;
  const pid_t pid = waitpid(-1, &status, block ? 0 : WNOHANG);
  if (pid <= 0) return false;
  std::erase(children_, pid);
  if (WIFSIGNALED(status)) {
    fail("its process %d was killed by signal %d%s", pid, WTERMSIG(status),
         WTERMSIG(status) == SIGKILL ? " (out of memory?)" : "");
  }
  if (WEXITSTATUS(status) != 0) fail("its process %d ended with status %d", pid, WEXITSTATUS(status));
  return true;
}

void PartContext::supervise() {
  while (!stopping()) {
    sleep_ns(1'000'000);
    slot_.tick.fetch_add(1, std::memory_order_relaxed);
    while (!children_.empty() && reap(false)) {
    }
  }
  while (!children_.empty() && reap(true)) {
  }
}

/// A debugger stops here (lufbed repro --gdb): called the moment that a violation has been seen.
extern "C" __attribute__((noinline)) void luf_violation() { asm volatile(""); }

void PartContext::report(std::string_view rule, std::string_view detail, const Evidence& evidence) {
  luf_violation();
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  unsigned cpu = 0;
  __builtin_ia32_rdtscp(&cpu);  // the kernel keeps the CPU's number there: no system call
  const std::uint64_t number = slot_.findings.fetch_add(1);
  if (number >= kFindingsKept) return;
  FindingRecord& record = slot_.records[number];
  std::snprintf(record.rule, sizeof(record.rule), "%.*s", static_cast<int>(rule.size()), rule.data());
  std::snprintf(record.detail, sizeof(record.detail), "%.*s", static_cast<int>(detail.size()), detail.data());
  const std::string_view members = evidence.members();
  std::snprintf(record.evidence, sizeof(record.evidence), "{%.*s}", static_cast<int>(members.size()),
                members.data());
  record.loads = slot_.loads.load();
  record.at_ns =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
  record.cpu = cpu & 0xfffU;
  record.ready.store(1, std::memory_order_release);
}

void PartContext::fail(const char* format, ...) {
  std::uint32_t expected = 0;
  if (slot_.failed.compare_exchange_strong(expected, 1)) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(slot_.error, sizeof(slot_.error), format, arguments);
    va_end(arguments);
    slot_.failed.store(2, std::memory_order_release);
  }
  _exit(1);
}

}  // namespace luf::guest
