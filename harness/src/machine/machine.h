// What a run needs of a virtual machine, whoever runs it.
#pragma once

#include <nlohmann/json.hpp>
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

  /// Runs a command of QEMU's monitor, also while others are under way. Errors: infra, timeout.
  virtual Task<Result<nlohmann::json>> monitor(std::string command, nlohmann::json, TimePoint) {
    co_return fail(Blame::kInfra, "this machine has no monitor for \"{}\"", command);
  }

  /// Hands the running guest over to a second emulator on this host, by live migration; returns what QEMU says about
  /// it. After an error the guest goes on where it was. Errors: infra, timeout.
  virtual Task<Result<nlohmann::json>> hand_over(TimePoint) {
    co_return fail(Blame::kInfra, "only a QEMU of our own can hand its guest over; use --machine qemu");
  }

  /// Ends the machine, each step harder than the one before and logged; returns when it is gone. `at_once`
  /// goes straight to the kill. Never fails; calling it again is harmless.
  virtual Task<void> stop(bool at_once) = 0;

  /// What a person would type to start it again; for the manifest.
  virtual std::string command_line() const = 0;
};

}  // namespace luf::machine
