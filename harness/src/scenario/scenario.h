// A scenario as plain data (docs/scenario-format.md), checked and with every default filled in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "scenario/catalog.h"

namespace luf::scenario {

using std::chrono::seconds;

/// What machine.icount becomes where a run must be deterministic and the scenario does not say: 62.5 million instructions
/// a guest second, about what a host does.
inline constexpr std::int64_t kDefaultIcount = 4;

struct Machine {
  std::int64_t cpus = 4;
  std::uint64_t memory = std::uint64_t{512} << 20U;  ///< bytes
  std::int64_t nodes = 2;
  std::uint64_t slow_memory = 0;  ///< bytes of a further node that has no CPU; 0: there is none
  std::string accel = "auto";
  std::optional<std::int64_t> icount;  ///< an instruction takes 2^icount ns; absent: time is the host's
  Nanoseconds boot_deadline = seconds(90);
  Nanoseconds stall_deadline = seconds(60);
};

struct Kernel {
  std::string luf = "as-is";
  std::string points = "strict";  ///< name of a set of flush points
  std::vector<std::string> points_off;
  std::vector<std::string> points_on;       ///< beside those of the set
  std::optional<bool> batching;             ///< absent: the kernel's own
  std::optional<Nanoseconds> age;           ///< absent: the kernel's own
  std::optional<std::int64_t> pending_max;  ///< frames; absent: the kernel's own
  std::string cmdline;
};

/// Who runs when, drawn from the scenario's seed (docs/replay.md).
struct Schedule {
  std::string strategy = "none";  ///< none, windows, turns, pct, bounded, stall
  std::int64_t depth = 2;         ///< of pct: orderings; of bounded: delays
  std::int64_t steps = 10000;     ///< of pct and bounded: hits of points that a run is expected to have
  std::vector<std::string>
      points;  ///< functions of the kernel; empty: those where flushes are put off and made up
  /// Decided by luf-steer inside QEMU, not by the kernel or not at all.
  bool steered() const { return strategy != "none" && strategy != "windows"; }
};

struct Phase {
  std::string name;
  Nanoseconds duration{};
  std::string expect = "silent";
  std::optional<bool> whole;  ///< a finding does not end it; absent: of phases that expect one, no
  std::vector<std::string> points_off;
  std::map<std::string, std::int64_t> faults;  ///< name -> percent of the hits
  std::map<std::string, Nanoseconds> delays;   ///< name -> how long, at each hit
  std::map<std::string, std::int64_t> at_least;
};

struct Part {
  PartKind kind = PartKind::kWorkload;
  std::string name;
  std::string id;
  std::map<std::string, ParamValue> params;  ///< complete
  bool on_host = false;                      ///< see PartType
};

struct Scenario {
  std::string title;
  std::int64_t seed = 1;
  std::string known_failure;  ///< empty, or why a failure is expected for now
  Machine machine;
  Kernel kernel;
  Schedule schedule;
  std::vector<Phase> phases;
  std::vector<Part> parts;
};

inline constexpr const char* kSilent = "silent";
inline constexpr const char* kAny = "any";  ///< of `expect`: a finding ends the phase, and none is missed

/// No finding is expected of it: nothing that breaks a rule is planted.
inline bool is_silent(const Phase& phase) { return phase.expect == kSilent; }

}  // namespace luf::scenario
