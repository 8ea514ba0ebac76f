// One phase: what the guest said about it, and the verdict on it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "guest/event.h"
#include "judge/judge.h"

namespace luf::judge {

struct Finding {
  std::string part;
  std::string rule;
  std::string detail;
  std::uint64_t after_ms = 0;  ///< guest time since the phase began, its set-up included
  std::uint64_t loads = 0;     ///< that its detector had checked
};

/// The events of one phase, gathered.
struct PhaseRecord {
  bool started = false;
  std::uint64_t started_ns = 0;
  bool ended = false;
  std::optional<std::string> skipped;                ///< reason
  std::map<std::string, std::string> skipped_parts;  ///< id -> reason
  std::vector<Finding> findings;                     ///< those that were sent
  std::vector<std::string> errors;
  std::uint64_t finding_count = 0;  ///< all, also those not sent
  std::uint64_t loads = 0;
  std::uint64_t elapsed_ms = 0;
  std::map<std::string, std::uint64_t> counters;
  std::map<std::string, std::uint64_t> gauges;
  std::map<std::string, std::map<std::string, std::uint64_t>>
      metrics;  ///< id -> name -> value, of parts that ended
};

/// Gathers by phase name.
std::map<std::string, PhaseRecord> gather(const std::vector<guest::Event>& events);

/// The sum of that metric over all parts that ended.
std::uint64_t sum_of(const PhaseRecord& record, const std::string& metric);

/// True when the findings alone make the phase fail, however the run ended.
bool violated(const scenario::Phase& phase, const PhaseRecord& record);

/// The verdict on a phase of a guest that reached `done`.
PhaseVerdict judge_phase(const scenario::Scenario& scenario, const scenario::Phase& phase,
                         const DetectorsByRule& detectors, const PhaseRecord& record);

}  // namespace luf::judge
