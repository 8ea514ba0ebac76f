#include "run/admission.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "base/units.h"
#include "run/cgroup.h"

namespace luf::run {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
/// QEMU's own, for translated code above all.
constexpr std::uint64_t kQemuMemory = 192 * kMiB;

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

/// The largest number: not known.
std::uint64_t available_memory(const std::filesystem::path& root) {
  std::ifstream file(root / "proc/meminfo");
  for (std::string key, rest; file >> key;) {
    std::uint64_t kib = 0;
    if (key == "MemAvailable:" && file >> kib) return kib << 10U;
    std::getline(file, rest);
  }
  return std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

Host this_host(const std::filesystem::path& root) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  const bool known = ::sched_getaffinity(0, sizeof(cpus), &cpus) == 0;
  const std::size_t allowed = known ? static_cast<std::size_t>(std::max(CPU_COUNT(&cpus), 1)) : 1;
  const Allowance left = cgroup_allowance(root);
  const std::uint64_t memory = std::min(available_memory(root), left.memory);
  const bool counted = memory != std::numeric_limits<std::uint64_t>::max();
  // Whole MiB, for messages; what is known is not 0.
  return {std::min(allowed, left.cpus), counted ? std::max(memory / kMiB, std::uint64_t{1}) * kMiB : 0};
}

std::size_t room_for(const std::vector<Job>& jobs, const Host& host) {
  const Demand each = largest(jobs);
  return std::max<std::size_t>(std::min(host.cpus / each.cpus, room_by_memory(each, host)), 1);
}

std::string crowding(const std::vector<Job>& jobs, std::size_t guests, const Host& host) {
  if (guests <= room_for(jobs, host)) return {};
  const Demand each = largest(jobs);
  if (guests > room_by_memory(each, host))
    return fmt::format("{} guests at a time need {} of memory each, and lufbed can have {}", guests,
                       format_size(each.memory), format_size(host.memory));
  return fmt::format("{} guests at a time keep {} threads busy, and lufbed can have {} CPUs", guests,
                     guests * each.cpus, host.cpus);
}

void place(const std::vector<Job>& jobs, std::size_t asked, const Host& host, Settings& settings) {
  settings.guests = asked != 0 ? asked : room_for(jobs, host);
  settings.crowding = crowding(jobs, std::min(settings.guests, jobs.size()), host);
}

std::string crowding_of(const Settings& settings, const Job& job) {
  return job.scenario.machine.icount ? std::string() : settings.crowding;
}

}  // namespace luf::run
