// Counters of the kernel, for injectors that show their effect by one.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "agent/kernel_files.h"

namespace luf::guest {

/// The sum of these lines of /proc/vmstat; one that is not there counts 0.
inline std::uint64_t vmstat_sum(std::initializer_list<const char*> names) {
  const Counters counters = parse_counters(read_text("/proc/vmstat"));
  std::uint64_t sum = 0;
  for (const char* name : names) {
    const auto found = counters.find(name);
    if (found != counters.end()) sum += found->second;
  }
  return sum;
}

}  // namespace luf::guest
