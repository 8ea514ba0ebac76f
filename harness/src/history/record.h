// What the history keeps: campaigns and their runs as plain data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "judge/verdict.h"

namespace luf::history {

/// What a detector reported in a run.
struct Finding {
  std::string rule;
  std::string part;
  std::string detail;
  std::string fingerprint;
  std::string phase;
  bool violation = false;  ///< its phase failed; else it was planted and expected
  std::int64_t after_ms = 0;
};

/// One guest that ended. A case is what `scenario`, `kernel`, `points`, `cpus` and `seed` say; its runs share the key.
struct Run {
  std::string key;
  std::int64_t attempt = 1;  ///< 2 and up: repeated, because the first was not green
  std::string scenario;
  std::string content;  ///< hash of the scenario as it ran and of the kernel
  std::string kernel;   ///< its name in the campaign file
  std::string build;    ///< release and short hash
  std::string points;   ///< set of flush points
  std::int64_t cpus = 0;
  std::int64_t seed = 0;
  judge::Outcome outcome = judge::Outcome::kInfra;
  std::string reason;
  std::string accel;
  std::int64_t ended = 0;   ///< seconds since 1970, by the host's clock; order is by number, never by this
  double seconds = 0;       ///< host time
  double boot_seconds = 0;  ///< guest time from the kernel's start to the first event; 0: none came
  std::int64_t loads = 0;
  std::string directory;
  std::string repro;  ///< one line
  std::vector<Finding> findings;
  std::map<std::string, std::int64_t> counters;  ///< those that `is_kept` names, summed over the phases
  std::map<std::string, std::int64_t> gauges;    ///< the highest of the phases

  bool is_green() const {
    return outcome == judge::Outcome::kPass || outcome == judge::Outcome::kKnownFailure;
  }
  /// Neither green nor skipped.
  bool is_bad() const { return !is_green() && outcome != judge::Outcome::kSkip; }
};

enum class State {
  kRunning,      ///< or killed
  kFinished,     ///< every planned run has ended
  kOutOfTime,    ///< its budget was spent
  kInterrupted,  ///< by the user
};
std::string_view to_string(State state);

struct Campaign {
  std::int64_t number = 0;  ///< in this history, from 1
  std::string id;           ///< the same in every shard of it
  std::string name;
  std::string plan;   ///< hash of all cases, sharded or not
  std::string shard;  ///< "i/n"; empty: all
  State state = State::kRunning;
  std::int64_t planned = 0;  ///< first attempts
  std::int64_t started = 0;  ///< seconds since 1970
  std::int64_t ended = 0;    ///< of the last run so far
  double spent = 0;          ///< host seconds at work, over all its sessions
  double harness_cpu = 0;    ///< CPU seconds of this program
  double guest_cpu = 0;      ///< CPU seconds of its QEMUs

  bool is_open() const { return state == State::kRunning || state == State::kInterrupted; }
};

/// Counters worth keeping for years: of LUF, of TLB flushes, and of the pages they are to be divided by.
bool is_kept(const std::string& counter);

/// All attempts of one case.
struct Case {
  std::vector<Run> attempts;  ///< at least one, in their order

  const Run& first() const { return attempts.front(); }
  std::size_t bad() const;
  /// "smoke/luf-on · luf · strict · 4 CPUs · seed 3"
  std::string title() const;
};

/// Groups runs by case; cases in the order of scenario, kernel, points, CPUs and seed, however they were run.
std::vector<Case> cases_of(const std::vector<Run>& runs);

}  // namespace luf::history
