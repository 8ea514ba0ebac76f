#include "run/injection.h"

#include <fstream>

#include "protocol/event.h"

namespace luf::run {
namespace {

constexpr std::chrono::milliseconds kTurn(10);

Nanoseconds duration_of(const scenario::Part& part, const char* name) {
  return Nanoseconds(std::get<std::int64_t>(part.params.at(name)));
}

std::int64_t ms(Nanoseconds length) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
}

}  // namespace

Injection::Injection(const Environment& environment, machine::Machine& machine,
                     const scenario::Scenario& scenario, std::filesystem::path log,
                     const std::filesystem::path& console)
    : environment_(environment),
      machine_(machine),
      log_(std::move(log)),
      console_(console),
      start_(environment.clock.now()),
      tasks_(environment.executor, environment.clock) {
  for (const scenario::Part& part : scenario.parts)
    if (part.on_host) acting_.push_back({part, Wake(environment.executor, environment.clock)});
  for (Acting& acting : acting_) tasks_.start(act(acting));
}

void Injection::take(const guest::Event& event) {
  const bool begins = event.name == protocol::event::kPhaseStart;
  if (!begins && event.name != protocol::event::kPhaseEnd) return;
  for (Acting& acting : acting_) {
    if (begins) {
      acting.phase = event.text("phase");
      acting.effects = 0;
      acting.trouble = "the phase was over before it had an effect";
    } else {
      if (acting.effects == 0) idle_.push_back({acting.phase, acting.part.id, acting.trouble});
      acting.phase.clear();
    }
    acting.changed.notify();
  }
}

Task<void> Injection::act(Acting& acting) {
  inject::Context context{machine_, environment_.executor, environment_.clock,
                          duration_of(acting.part, "length"), console_};
  while (true) {
    while (acting.phase.empty()) co_await acting.changed.wait_until(TimePoint::max());
    const std::string phase = acting.phase;
    TimePoint next = environment_.clock.now() + duration_of(acting.part, "after");
    while (acting.phase == phase) {
      if (environment_.clock.now() < next) {
        co_await acting.changed.wait_until(next);
        continue;
      }
      if (busy_) {
        next = environment_.clock.now() + kTurn;
        continue;
      }
      busy_ = true;
      co_await disturb(acting, context);
      busy_ = false;
      next = environment_.clock.now() + duration_of(acting.part, "period");
    }
  }
}

Task<void> Injection::disturb(Acting& acting, inject::Context& context) {
  const std::string phase = acting.phase;
  const TimePoint began = environment_.clock.now();
  const Result<inject::Effect> effect = co_await inject::find(acting.part.name)->disturb(context);
  if (effect && effect->seen && acting.phase == phase) ++acting.effects;
  if (!effect) {
    acting.trouble = effect.error().message;
  } else if (!effect->seen) {
    acting.trouble =
        fmt::format("it had no effect: {} before, {} after", effect->before.dump(), effect->after.dump());
  }
  note(acting, effect, began);
}

void Injection::note(const Acting& acting, const Result<inject::Effect>& effect, TimePoint began) {
  nlohmann::ordered_json line{{"at_ms", ms(began - start_)},
                              {"took_ms", ms(environment_.clock.now() - began)},
                              {"part", acting.part.id},
                              {"phase", acting.phase}};
  if (effect) {
    line["before"] = effect->before;
    line["after"] = effect->after;
    line["effect"] = effect->seen;
  } else {
    line["error"] = effect.error().message;
  }
  std::ofstream(log_, std::ios::app) << line.dump() << "\n";
}

Task<std::vector<judge::IdlePart>> Injection::stop() {
  tasks_.cancel();
  co_await tasks_.join();
  co_return idle_;
}

}  // namespace luf::run
