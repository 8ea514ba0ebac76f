// From what was seen to what it means: pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guest/event.h"
#include "judge/oracle.h"
#include "judge/verdict.h"
#include "machine/state.h"
#include "scenario/scenario.h"

namespace luf::judge {

/// Why the run was over.
enum class RunEnd {
  kDone,           ///< the guest said `done`
  kMachineEnded,   ///< the machine went away by itself
  kNoBoot,         ///< no first event in time
  kStalled,        ///< no event for too long
  kOverrun,        ///< events came, but the end did not
  kStreamDamaged,  ///< the event stream cannot be trusted any more
  kCancelled,      ///< by the user
  kError,          ///< `error` says what failed on the host
};

/// A part of the host that did not do in a phase what it is there for.
struct IdlePart {
  std::string phase;
  std::string part;
  std::string reason;
};

/// All that a verdict rests on.
struct Observation {
  RunEnd end = RunEnd::kError;
  std::optional<Error> error;
  std::vector<guest::Event> events;
  std::optional<std::string> damage;  ///< of the event stream
  bool disk_full = false;             ///< in the run directory
  bool emulator_answers = true;       ///< when stalled
  std::string console;
  machine::MachineState machine;
  std::vector<IdlePart> idle;              ///< injectors of the host without an effect
  std::optional<std::string> first_start;  ///< QEMU's last words in a start before this one, if there was one
  std::optional<OracleReport> oracle;      ///< when the run had one
  std::string crowding;  ///< why the host may not have run the guest's CPUs; empty: it could
};

/// The detectors' ids by rule that can find it: lets an unfulfilled expectation be told from a skipped
/// detector.
using DetectorsByRule = std::map<std::string, std::vector<std::string>>;

/// Thread: any. Equal input gives an equal verdict.
Verdict judge(const scenario::Scenario& scenario, const DetectorsByRule& detectors, const Observation& seen);

}  // namespace luf::judge
