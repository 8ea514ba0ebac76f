#include <algorithm>
#include <array>

#include "inject/injector.h"
#include "protocol/event.h"
#include "scenario/trigger.h"

namespace luf::inject {

extern const Injector balloon;
extern const Injector cpu_contention;
extern const Injector disk_error;
extern const Injector disk_slow;
extern const Injector machine_migrate;
extern const Injector machine_stop;
extern const Injector memory_unplug;
extern const Injector nmi;
extern const Injector vcpu_stall;

namespace {

constexpr std::array<const Injector*, 9> kInjectors{
    &balloon,      &cpu_contention, &disk_error, &disk_slow, &machine_migrate,
    &machine_stop, &memory_unplug,  &nmi,        &vcpu_stall};
constexpr std::chrono::seconds kAnswer(20);

scenario::Param duration(const char* name, Nanoseconds fallback, Nanoseconds min, Nanoseconds max,
                         const char* summary) {
  return {name, scenario::ParamType::kDuration, fallback.count(), min.count(), max.count(), {}, summary};
}

/// See scenario/trigger.h.
scenario::Param trigger() {
  return {scenario::kOn,
          scenario::ParamType::kText,
          std::string(protocol::event::kPhaseStart),
          0,
          0,
          {},
          "the event, or the part's event, from whose first in a phase \"after\" counts"};
}

}  // namespace

std::span<const Injector* const> injectors() { return kInjectors; }

const Injector* find(std::string_view name) {
  const auto found = std::find_if(kInjectors.begin(), kInjectors.end(),
                                  [name](const Injector* injector) { return injector->name == name; });
  return found != kInjectors.end() ? *found : nullptr;
}

void add_to(scenario::Catalog& catalog) {
  using std::chrono::milliseconds;
  constexpr std::chrono::hours kMost(1);
  for (const Injector* injector : kInjectors) {
    scenario::PartType type;
    type.name = injector->name;
    type.kind = scenario::PartKind::kInjector;
    type.summary = std::string(injector->summary) + " (by the host)";
    type.on_host = true;
    type.params = {
        trigger(),
        duration("after", milliseconds(500), milliseconds(0), kMost,
                 "from the word of that event to the first disturbance, in host time"),
        duration("length", milliseconds(injector->length_ms), milliseconds(10), kMost,
                 "of one disturbance; of a migration, how long it may take"),
        duration("period", milliseconds(1000), milliseconds(10), kMost, "pause between two disturbances"),
    };
    catalog.parts.push_back(std::move(type));
  }
}

Task<Result<nlohmann::json>> ask(Context& context, std::string command, nlohmann::json arguments) {
  co_return co_await context.machine.monitor(std::move(command), std::move(arguments),
                                             context.clock.now() + kAnswer);
}

Task<void> pause_for(Context& context, Nanoseconds length) {
  Wake wake(context.executor, context.clock);
  const TimePoint end = context.clock.now() + length;
  while (context.clock.now() < end) co_await wake.wait_until(end);
}

}  // namespace luf::inject
