// Small reads and writes of the kernel's own files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace luf::guest {

inline constexpr std::size_t kAtOnce = 4096;  ///< bytes

/// The whole file, empty when it cannot be read. It is read `at_once` bytes at a time: between two reads others can run.
std::string read_text(const std::string& path, std::size_t at_once = kAtOnce);
/// Writes the text by one write(). Returns what went wrong, empty when all went well.
std::string write_text(const std::string& path, std::string_view text);
bool exists(const std::string& path);

using Counters = std::map<std::string, std::uint64_t>;
/// "name value" lines, as in /proc/vmstat.
Counters parse_counters(std::string_view text);
/// The sum over all CPUs of the TLB line of /proc/interrupts.
std::uint64_t parse_tlb_interrupts(std::string_view text);
/// Every line of /proc/vmstat, of `counters` and `check` in debugfs luf/ where they are there, `ipi_tlb`, and the buckets
/// of two histograms of debugfs luf/, as `luf_hist_age_us_<bound>` and `luf_hist_flush_us_<bound>`.
Counters read_counters();
/// What moved from `before` to `after` and how far; what fell (a gauge) is left out.
Counters increase(const Counters& before, const Counters& after);

}  // namespace luf::guest
