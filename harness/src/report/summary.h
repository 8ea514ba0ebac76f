// One guest's run in numbers, and the formats that carry it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest/event.h"
#include "judge/oracle.h"
#include "judge/phase.h"

namespace luf::report {

/// What is told about one guest.
struct Summary {
  std::string scenario;
  std::string kernel;  ///< release and short hash
  std::string accel;   ///< "tcg" or "kvm"; empty when no machine was started
  std::filesystem::path directory;
  judge::Verdict verdict;
  std::uint64_t loads = 0;
  std::uint64_t findings = 0;
  std::uint64_t deferrals = 0;                    ///< counter luf_deferred
  std::map<std::string, std::uint64_t> flushes;   ///< by cause: counters luf_flush_<cause>
  std::map<std::string, std::uint64_t> counters;  ///< all, summed over the phases
  std::map<std::string, std::uint64_t> gauges;    ///< the highest of the phases
  std::map<std::string, std::uint64_t> metrics;   ///< of parts, as "id.name", summed over the phases
  std::map<std::string, judge::PhaseRecord> phases;
  double seconds = 0;                              ///< host time
  double boot_seconds = 0;                         ///< guest time at its first event; 0: none came
  std::string digest = {};                         ///< of a deterministic run that ended, else empty
  std::string first_finding = {};                  ///< its rule, detector and sentence; empty: none
  std::string fingerprint = {};                    ///< of the first finding
  std::optional<judge::OracleReport> oracle = {};  ///< absent: there was none
};

/// The counters `luf_flush_<cause>`.
inline constexpr std::string_view kFlushPrefix = "luf_flush_";
inline bool is_flush_cause(const std::string& counter) { return counter.starts_with(kFlushPrefix); }

/// Adds the numbers of a run's events to `summary`.
void add_numbers(const std::vector<guest::Event>& events, Summary& summary);

/// "3 infra, 26 pass": how many guests of each verdict, by name.
std::string tally(const std::vector<Summary>& summaries);

/// The table for people, with a line of totals.
std::string to_table(const std::vector<Summary>& summaries);

/// JUnit XML, as CI systems read it: a test case a scenario.
std::string to_junit(const std::vector<Summary>& summaries);

/// Everything as one JSON document.
std::string to_json(const std::vector<Summary>& summaries);

/// 0 green, 1 fail, 3 infra or vacuous, 77 all skipped.
int exit_code(const std::vector<Summary>& summaries);

}  // namespace luf::report
