// What the TLB oracle (harness/oracle) reports, and how it enters a verdict.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace luf::judge {

/// The part that its findings belong to.
inline constexpr std::string_view kOraclePart = "oracle";

/// A step on the way to a violation.
struct OracleMark {
  unsigned cpu = 0;
  std::uint64_t before_ns = 0;  ///< of virtual time, before the violating access
  std::string what;             ///< a clause
};

/// A kind of violation: class 2 of the contract.
struct OracleFinding {
  int phase = -1;  ///< index in the scenario; -1: outside of all
  std::string rule;
  std::string detail;  ///< one sentence
  std::uint64_t count = 0;
  std::vector<OracleMark> marks = {};  ///< of the first one, the earliest first; the last is the access
};

/// oracle.json
struct OracleReport {
  bool complete = false;
  std::string level;
  std::uint64_t checked = 0;    ///< accesses
  std::uint64_t window = 0;     ///< class 0
  std::uint64_t deferred = 0;   ///< class 1
  std::uint64_t violation = 0;  ///< class 2
  std::uint64_t unknown = 0;
  std::vector<OracleFinding> findings;
};

/// Errors: infra, when it is not what the plugin writes.
Result<OracleReport> parse_oracle_report(std::string_view text);

/// Adds what `from` counted to `to`.
void add_counts(const OracleReport& from, OracleReport& to);

/// "oracle: window 12, deferred 0, violation 0, unknown 0 of 1 234 accesses"
std::string to_line(const OracleReport& report);

}  // namespace luf::judge
