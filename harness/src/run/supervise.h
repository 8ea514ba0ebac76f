// Watches over one machine from start to end.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "async/wake.h"
#include "guest/byte_source.h"
#include "judge/judge.h"
#include "machine/machine.h"
#include "run/interrupt.h"

namespace luf::run {

/// Host time each stage may take.
struct Patience {
  Nanoseconds boot{};   ///< to the first event
  Nanoseconds stall{};  ///< from one event to the next
  Nanoseconds whole{};  ///< all together
};

/// What supervision needs; all referenced objects outlive it.
struct Watched {
  machine::Machine& machine;
  guest::ByteSource& events;
  Wake& changed;  ///< notified by the machine, the event stream and the interrupt
  Clock& clock;
  const Interrupt& interrupt;
  std::filesystem::path directory;                ///< whose disk must not run full; empty: not looked at
  std::string last_event;                         ///< the event that ends the run well
  std::function<void(const guest::Event&)> seen;  ///< called for every event; may be empty
  std::function<void()> tick;                     ///< called about every second; may be empty
  std::function<Task<void>()> at_stop =
      {};  ///< run when the machine stands still in mid-run, which ends the run; may be empty
  std::function<Task<void>()> before_stop = {};  ///< run when the last event has come; may be empty
};

/// Starts the machine, follows it until it is done, ends by itself, or one of the deadlines or the user ends
/// it; stops it; returns what was seen. The console is not read here. Never throws for what a machine or
/// guest does.
Task<judge::Observation> supervise(Watched watched, Patience patience);

}  // namespace luf::run
