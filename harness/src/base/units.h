// Values with units, as scenario files write them and reports print them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace luf {

using Nanoseconds = std::chrono::nanoseconds;

/// Reads "250us", "5ms", "30s" or "2min" (also "ns"). A missing or unknown unit, a sign, a fraction and an
/// overflow are errors. Errors: scenario. Thread: any.
Result<Nanoseconds> parse_duration(std::string_view text);

/// Reads "512B", "4KiB", "512MiB" or "1GiB" into bytes. Errors and thread as above.
Result<std::uint64_t> parse_size(std::string_view text);

/// The shortest exact form that `parse_duration` reads back. Range: not negative.
std::string format_duration(Nanoseconds value);

/// The shortest exact form that `parse_size` reads back.
std::string format_size(std::uint64_t bytes);

/// 1234567 as "1 234 567", for people.
std::string format_count(std::uint64_t count);

}  // namespace luf
