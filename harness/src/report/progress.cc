#include "report/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "protocol/event.h"

namespace luf::report {

void Progress::begin_guest(std::size_t index, std::size_t total, std::string scenario, Nanoseconds duration,
                           Nanoseconds ahead) {
  index_ = index;
  total_ = total;
  scenario_ = std::move(scenario);
  phase_ = "starting";
  left_ = duration;
  phase_time_ = Nanoseconds{};
  ahead_ = ahead;
  loads_ = findings_ = 0;
  show();
}

void Progress::take(const guest::Event& event) {
  if (event.name == protocol::event::kBoot) phase_ = "booted";
  if (event.name == protocol::event::kPhaseStart) {
    phase_ = event.text("phase");
    loads_ = findings_ = 0;
  }
  if (event.name == protocol::event::kProgress) {
    phase_time_ = std::chrono::milliseconds(event.number("elapsed_ms"));
    loads_ = event.number("loads");
    findings_ = event.number("findings");
  }
  if (event.name == protocol::event::kPhaseEnd) {
    left_ -= std::min(left_, Nanoseconds(std::chrono::milliseconds(event.number("elapsed_ms"))));
    phase_time_ = Nanoseconds{};
  }
  show();
}

std::string Progress::line() const {
  const Nanoseconds left = ahead_ + left_ - std::min(left_, phase_time_);
  return fmt::format("[{}/{}] {} · {} · loads {} · findings {} · {} s left", index_, total_, scenario_,
                     phase_, format_count(loads_), format_count(findings_),
                     std::chrono::ceil<std::chrono::seconds>(left).count());
}

void Progress::show() {
  if (is_terminal_) fmt::print(stderr, "\r\x1b[K{}", line());
}

void Progress::clear() {
  if (is_terminal_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::say(const std::string& text) {
  clear();
  fmt::print(stderr, "{}\n", text);
}

}  // namespace luf::report
