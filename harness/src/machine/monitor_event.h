// What an event of QEMU's monitor says about a machine.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "machine/state.h"

namespace luf::machine {

/// Notes the event in `state`. Source: QEMU qapi/run-state.json. Thread: any.
inline void take_monitor_event(const std::string& name, const nlohmann::json& data, MachineState& state) {
  if (name == "GUEST_PANICKED") state.guest_panicked = true;
  if (name == "SHUTDOWN" && data.value("guest", false))
    state.shutdown_reason = data.value("reason", "unknown");
  if (name == "GUEST_PANICKED" || name == "SHUTDOWN") state.guest_over = true;
  if (name == "STOP") state.stopped = true;
  if (name == "RESUME") state.stopped = false;
}

}  // namespace luf::machine
