// How a machine looks from outside, as plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace luf::machine {

/// What is known about a machine from outside the guest.
struct MachineState {
  bool ended = false;
  bool stopped = false;            ///< the virtual CPUs stand still, and could go on
  bool guest_over = false;         ///< the guest will not go on; the emulator may still be there
  std::optional<int> exit_code;    ///< of the emulator, when it exited
  std::optional<int> exit_signal;  ///< of the emulator, when a signal ended it
  bool guest_panicked = false;     ///< the guest's kernel told so (pvpanic)
  std::string shutdown_reason;     ///< why the guest ended itself, e.g. "guest-reset"; empty when it did not
  bool stop_asked = false;         ///< by stop()
  std::string last_words;          ///< what the emulator complained about, last lines
  std::vector<std::string> log;    ///< steps of start and stop, one sentence each
};

}  // namespace luf::machine
