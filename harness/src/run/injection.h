// The host's injectors of one run.
#pragma once

#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "guest/event.h"
#include "inject/injector.h"
#include "judge/judge.h"
#include "run/settings.h"
#include "scenario/trigger.h"

namespace luf::run {

/// They take turns. Starts each at its trigger, lets it end when the phase is over, and writes what each did to a file of
/// JSON lines. Thread: the io_context's. `machine` and the scenario outlive it; `stop()` comes before its end.
class Injection {
 public:
  Injection(const Environment& environment, machine::Machine& machine, const scenario::Scenario& scenario,
            std::filesystem::path log, const std::filesystem::path& console);

  /// Takes in an event of the guest.
  void take(const guest::Event& event);

  /// Ends all of them; returns those that had no effect in a phase that ended.
  Task<std::vector<judge::IdlePart>> stop();

 private:
  /// One part, over all phases.
  struct Acting {
    const scenario::Part& part;
    scenario::Trigger trigger;
    Wake changed;
    std::string phase = {};                 ///< empty: none runs
    std::optional<TimePoint> started = {};  ///< when its trigger came in this phase
    std::uint64_t effects = 0;
    std::string trouble = {};
  };
  void begin(const std::string& phase);
  void end();
  /// Something happened that may be a trigger.
  void happened(const std::string& event, const std::string& part);
  Task<void> act(Acting& acting);
  Task<void> disturb(Acting& acting, inject::Context& context);
  /// `phase`: in which it began.
  void note(const Acting& acting, const std::string& phase, const Result<inject::Effect>& effect,
            TimePoint began);
  const Environment& environment_;
  machine::Machine& machine_;
  std::filesystem::path log_;
  std::filesystem::path console_;
  TimePoint start_;
  std::list<Acting> acting_;
  bool busy_ = false;  ///< one disturbs: a guest on its way to another emulator must not be stopped
  std::vector<judge::IdlePart> idle_;
  TaskGroup tasks_;
};

}  // namespace luf::run
