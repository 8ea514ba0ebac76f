// What an injector of the host is: it acts on the machine from outside, while the parts in the guest go on.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "machine/machine.h"
#include "machine/qemu_command.h"
#include "scenario/scenario.h"

namespace luf::inject {

/// What one disturbance did, by a counter of QEMU or of this host before and after.
struct Effect {
  nlohmann::json before;
  nlohmann::json after;
  bool seen = false;  ///< the counters show that it happened
};

/// What an injector may use. All referenced objects outlive its call.
struct Context {
  machine::Machine& machine;
  boost::asio::any_io_executor executor;
  Clock& clock;
  Nanoseconds length;                    ///< how long one disturbance lasts
  const std::filesystem::path& console;  ///< what the guest's kernel says
};

/// Waits; wakes early only when cancelled.
Task<void> pause_for(Context& context, Nanoseconds length);

/// Runs a command of QEMU's monitor. Errors: infra, timeout.
Task<Result<nlohmann::json>> ask(Context& context, std::string command, nlohmann::json arguments = {});

inline constexpr std::chrono::milliseconds kPoll(20);

/// Reads a value again and again, until it is `enough` or the time is over. Returns the last one. Errors: those of `read`.
template <typename Value>
Task<Result<Value>> read_until(Context& context, TimePoint deadline, Task<Result<Value>> (*read)(Context&),
                               const std::function<bool(const Value&)>& enough) {
  Result<Value> now = co_await read(context);
  while (now && !enough(*now) && context.clock.now() < deadline) {
    co_await pause_for(context, kPoll);
    now = co_await read(context);
  }
  co_return now;
}

/// One file defines one, and injectors.cc lists it.
struct Injector {
  const char* name;
  const char* summary;
  std::int64_t length_ms;  ///< the default of `length`
  std::optional<machine::Device> needs;
  /// Disturbs once and heals: whatever happens, the machine runs on afterwards. Errors: infra, timeout.
  Task<Result<Effect>> (*disturb)(Context& context);
};

std::span<const Injector* const> injectors();

/// nullptr: there is none.
const Injector* find(std::string_view name);

/// Adds them to the parts that scenarios may name.
void add_to(scenario::Catalog& catalog);

}  // namespace luf::inject
