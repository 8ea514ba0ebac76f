#include "run/admission.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "base/units.h"

namespace luf::run {
namespace {

/// QEMU's own, for translated code above all.
constexpr std::uint64_t kQemuMemory = 192ULL << 20U;

struct Demand {
  std::size_t cpus = 1;
  std::uint64_t memory = 1;
};

/// The most of each that one of them needs.
Demand largest(const std::vector<Job>& jobs) {
  Demand most;
  for (const Job& job : jobs) {
    const scenario::Machine& machine = job.scenario.machine;
    const std::size_t threads = machine.icount ? 1 : static_cast<std::size_t>(machine.cpus);
    most.cpus = std::max(most.cpus, threads);
    most.memory = std::max(most.memory, machine.memory + machine.slow_memory + kQemuMemory);
  }
  return most;
}

std::size_t room_by_memory(const Demand& each, const Host& host) {
  if (host.memory == 0) return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(host.memory / each.memory);
}

std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key, rest; file >> key;) {
    std::uint64_t kib = 0;
    if (key == "MemAvailable:" && file >> kib) return (kib >> 10U) << 20U;
    std::getline(file, rest);
  }
  return 0;
}

}  // namespace

Host this_host() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  const bool known = ::sched_getaffinity(0, sizeof(cpus), &cpus) == 0;
  return {known ? static_cast<std::size_t>(std::max(CPU_COUNT(&cpus), 1)) : 1, available_memory()};
}

std::size_t room_for(const std::vector<Job>& jobs, const Host& host) {
  const Demand each = largest(jobs);
  return std::max<std::size_t>(std::min(host.cpus / each.cpus, room_by_memory(each, host)), 1);
}

std::string crowding(const std::vector<Job>& jobs, std::size_t guests, const Host& host) {
  if (guests <= room_for(jobs, host)) return {};
  const Demand each = largest(jobs);
  if (guests > room_by_memory(each, host))
    return fmt::format("{} guests at a time need {} of memory each, and the host has {} to give", guests,
                       format_size(each.memory), format_size(host.memory));
  return fmt::format("{} guests at a time keep {} threads busy, and the host has {} CPUs", guests,
                     guests * each.cpus, host.cpus);
}

}  // namespace luf::run
