// What a run needs of a virtual machine, whoever runs it.
#pragma once

#include <string>

#include "async/wake.h"
#include "base/result.h"
#include "machine/state.h"

namespace luf::machine {

/// One virtual machine, from start to end. Thread: the io_context's. All calls come from one coroutine, which
/// is also the only waiter of the Wake that the machine notifies on every change of `state()`.
class Machine {
 public:
  virtual ~Machine() = default;

  /// Starts the machine and returns when it is under control (its monitor answered). Once begun, `stop()`
  /// must be called, also after an error. Errors: infra, with the emulator's own words; timeout.
  virtual Task<Result<void>> start(TimePoint deadline) = 0;

  virtual const MachineState& state() const = 0;

  /// True when the emulator itself still answers: then a silent guest is the guest's own doing.
  virtual Task<bool> answers(TimePoint deadline) = 0;

  /// Waits until the guest has stopped itself, and returns what the virtual CPUs then hold, as text; empty when that
  /// did not happen by the deadline.
  virtual Task<std::string> final_state(TimePoint) { co_return std::string(); }

  /// Ends the machine, each step harder than the one before and logged; returns when it is gone. `at_once`
  /// goes straight to the kill. Never fails; calling it again is harmless.
  virtual Task<void> stop(bool at_once) = 0;

  /// What a person would type to start it again; for the manifest.
  virtual std::string command_line() const = 0;
};

}  // namespace luf::machine
