// What the kernel says of itself, held against the contract from outside: accounts (R14) and age bound (R12).
#pragma once

#include <cstdint>
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

/// R12: the oldest deferral since boot was younger than the bound and what emulation adds (kAgeSlackNs). A bound
/// of 0 is none.
std::vector<KernelFinding> check_age(std::uint64_t age_max_ns, std::uint64_t bound_ms);

/// A guest that the host does not run for a while finds its timers late by that much.
inline constexpr std::uint64_t kAgeSlackNs = 100'000'000;

/// Both, on the running kernel: drains it first. Empty too where the kernel lacks the series. Whoever defers must
/// have ended; what kswapd does meanwhile is waited for.
std::vector<KernelFinding> check_kernel();

}  // namespace luf::guest
