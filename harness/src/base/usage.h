// What this program and its children took of the host.
#pragma once

#include <cstdint>

namespace luf {

/// CPU time of this program, in seconds.
double own_cpu_seconds();

/// CPU time of its children that ended and were waited for, in seconds.
double child_cpu_seconds();

/// The most memory that this program had resident at a time, in bytes.
std::uint64_t peak_memory();

}  // namespace luf
