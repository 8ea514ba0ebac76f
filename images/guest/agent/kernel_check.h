// What the kernel says of itself, held against the contract from outside: accounts (R14) and age bound (R12).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/event_stream.h"
#include "agent/kernel_files.h"

namespace luf::guest {

/// A rule that the kernel's own numbers break.
struct KernelFinding {
  std::string_view rule;
  std::string detail;  ///< one sentence
  Json evidence;
};

/// R14 after a drain, at a quiet moment: all that was deferred was covered or flushed, nothing is pending. Empty:
/// it holds. `counters` since boot.
std::vector<KernelFinding> check_accounts(const Counters& counters, std::uint64_t pending);

/// R12: the oldest deferral since boot was younger than the bound and `slack_ns`. A bound of 0 is none.
std::vector<KernelFinding> check_age(std::uint64_t age_max_ns, std::uint64_t bound_ms,
                                     std::uint64_t slack_ns);

/// A guest whose virtual CPUs the host does not run finds its timers late: 0.7 s were seen with a load of 9 on two
/// host CPUs. A bound that nobody keeps is passed by more within a phase. Where time counts instructions nothing is
/// given away (Plan::exact_time).
inline constexpr std::uint64_t kAgeSlackNs = 2'000'000'000;

/// The age of the oldest deferral since boot, when it was flushed, in nanoseconds. Empty where the kernel does not
/// tell it.
std::optional<std::uint64_t> read_age_max();

/// Both, on the running kernel: drains it first. Empty too where the kernel lacks the series. Whoever defers must
/// have ended; what kswapd does meanwhile is waited for.
std::vector<KernelFinding> check_kernel(bool exact_time);

}  // namespace luf::guest
