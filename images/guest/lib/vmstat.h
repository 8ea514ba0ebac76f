// Counters of the kernel, for injectors that show their effect by one.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "agent/kernel_files.h"

namespace luf::guest {

/// The sum of these lines of a file of the kernel's; one that is not there counts 0.
inline std::uint64_t sum_of_lines(const char* file, std::initializer_list<const char*> names) {
  const Counters counters = parse_counters(read_text(file));
  std::uint64_t sum = 0;
  for (const char* name : names) {
    const auto found = counters.find(name);
    if (found != counters.end()) sum += found->second;
  }
  return sum;
}

inline std::uint64_t vmstat_sum(std::initializer_list<const char*> names) {
  return sum_of_lines("/proc/vmstat", names);
}

/// Of the parts' cgroup: the machine's own counters leave out what a cgroup reclaims from itself.
inline std::uint64_t cgroup_sum(std::initializer_list<const char*> names) {
  return sum_of_lines("/sys/fs/cgroup/lufbed/memory.stat", names);
}

}  // namespace luf::guest
