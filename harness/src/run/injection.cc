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
    if (part.on_host)
      acting_.push_back({part, scenario::trigger_of(part), Wake(environment.executor, environment.clock)});
  for (Acting& acting : acting_) tasks_.start(act(acting));
}

void Injection::take(const guest::Event& event) {
  if (event.name == protocol::event::kPhaseStart) begin(event.text("phase"));
  if (event.name == protocol::event::kPhaseEnd) end();
  happened(event.name, event.text("part"));
}

void Injection::begin(const std::string& phase) {
  for (Acting& acting : acting_) {
    acting.phase = phase;
    acting.effects = 0;
    acting.trouble = fmt::format("the phase had no event \"{}\" to begin on", acting.trigger.text());
  }
}

void Injection::end() {
  for (Acting& acting : acting_) {
    if (acting.effects == 0) idle_.push_back({acting.phase, acting.part.id, acting.trouble});
    acting.phase.clear();
    acting.started.reset();
    acting.changed.notify();
  }
}

void Injection::happened(const std::string& event, const std::string& part) {
  for (Acting& acting : acting_) {
    if (acting.phase.empty() || acting.started || !acting.trigger.is(event, part)) continue;
    acting.started = environment_.clock.now();
    acting.trouble = "the phase was over before it had an effect";
    acting.changed.notify();
  }
}

Task<void> Injection::act(Acting& acting) {
  inject::Context context{machine_, environment_.executor, environment_.clock,
                          duration_of(acting.part, "length"), console_};
  while (true) {
    while (!acting.started) co_await acting.changed.wait_until(TimePoint::max());
    const std::string phase = acting.phase;
    TimePoint next = *acting.started + duration_of(acting.part, "after");
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
  note(acting, phase, effect, began);
  if (acting.phase != phase) co_return;  // the next one is not to answer for it
  if (!effect) {
    acting.trouble = effect.error().message;
  } else if (!effect->seen) {
    acting.trouble =
        fmt::format("it had no effect: {} before, {} after", effect->before.dump(), effect->after.dump());
  } else {
    ++acting.effects;
    happened(scenario::kEffect, acting.part.id);
  }
}

void Injection::note(const Acting& acting, const std::string& phase, const Result<inject::Effect>& effect,
                     TimePoint began) {
  nlohmann::ordered_json line{{"at_ms", ms(began - start_)},
                              {"took_ms", ms(environment_.clock.now() - began)},
                              {"part", acting.part.id},
                              {"phase", phase}};
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
