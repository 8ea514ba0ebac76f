#include "agent/kernel_check.h"

#include <cstdlib>

#include "lib/part_context.h"
#include "protocol/luf_sysfs.h"

namespace luf::guest {

namespace {

constexpr std::string_view kState = "/sys/kernel/debug/luf/state";
constexpr int kTries = 20;
constexpr std::uint64_t kPauseNs = 5'000'000;

std::uint64_t value_of(const Counters& counters, const std::string& name) {
  const auto found = counters.find(name);
  return found == counters.end() ? 0 : found->second;
}

std::uint64_t read_number(std::string_view name) {
  return std::strtoull(read_text(std::string(protocol::kLufDir) + "/" + std::string(name)).c_str(), nullptr,
                       10);
}

}  // namespace

std::vector<KernelFinding> check_accounts(const Counters& counters, std::uint64_t pending) {
  constexpr std::string_view kFlushed = "luf_flushed_";
  const std::uint64_t deferred = value_of(counters, "luf_deferred");
  const std::uint64_t covered = value_of(counters, "luf_covered");
  std::uint64_t flushed = 0;
  Json evidence{{"luf_deferred", deferred}, {"luf_covered", covered}, {"pending", pending}};
  std::string negative;
  for (const auto& [name, value] : counters) {
    if (name.starts_with("luf_") && value >> 63U != 0) negative = name;
    if (!name.starts_with(kFlushed)) continue;
    flushed += value;
    evidence[name] = value;
  }
  if (!negative.empty()) return {{"R14", "The counter " + negative + " is negative.", evidence}};
  if (pending != 0)
    return {{"R14", std::to_string(pending) + " frames are pending after a drain.", evidence}};
  if (deferred == covered + flushed) return {};
  return {{"R14",
           std::to_string(deferred) + " frames were deferred, " + std::to_string(covered) +
               " covered by other flushes, " + std::to_string(flushed) + " flushed, none is pending.",
           evidence}};
}

std::vector<KernelFinding> check_age(std::uint64_t age_max_ns, std::uint64_t bound_ms,
                                     std::uint64_t slack_ns) {
  if (bound_ms == 0 || age_max_ns <= bound_ms * 1'000'000 + slack_ns) return {};
  return {{"R12",
           "A deferral was " + std::to_string(age_max_ns / 1000) + " us old, the bound is " +
               std::to_string(bound_ms) + " ms.",
           Json{{"age_max_ns", age_max_ns}, {"bound_ms", bound_ms}}}};
}

std::optional<std::uint64_t> read_age_max() {
  const Counters state = parse_counters(read_text(std::string(kState)));
  const auto found = state.find("age_max_ns");
  return found == state.end() ? std::nullopt : std::optional(found->second);
}

std::vector<KernelFinding> check_kernel(bool exact_time) {
  const std::string drain = std::string(protocol::kLufDir) + "/drain";
  if (!exists(drain)) return {};
  std::vector<KernelFinding> findings;
  for (int tries = 0; tries < kTries; ++tries) {
    write_text(drain, "1");
    const std::uint64_t pending = read_number("pending");
    findings = check_accounts(read_counters(), pending);
    if (findings.empty()) break;
    sleep_ns(kPauseNs);
  }
  const std::uint64_t slack_ns = exact_time ? 0 : kAgeSlackNs;
  for (KernelFinding& finding : check_age(read_age_max().value_or(0), read_number("age_ms"), slack_ns))
    findings.push_back(std::move(finding));
  return findings;
}

}  // namespace luf::guest
