// A machine that follows a script and records what is asked of it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "guest/byte_source.h"
#include "machine/machine.h"

namespace luf::testing {

/// Both the machine and its event stream. What is due shows at the next look.
class FakeMachine : public machine::Machine, public guest::ByteSource {
 public:
  explicit FakeMachine(const Clock& clock) : clock_(clock), begin_(clock.now()) {}

  /// At `after` the guest writes these bytes.
  void say(std::chrono::seconds after, std::string bytes) { script_.emplace_back(after, std::move(bytes)); }
  /// At `after` the machine ends in this state.
  void end(std::chrono::seconds after, machine::MachineState state) {
    state.ended = true;
    end_ = {after, std::move(state)};
    ends_ = true;
  }

  Task<Result<void>> start(TimePoint) override {
    calls.emplace_back("start");
    co_return start_result;
  }
  const machine::MachineState& state() const override {
    return ends_ && due(end_.first) ? end_.second : running_;
  }
  Task<bool> answers(TimePoint) override {
    calls.emplace_back("answers");
    co_return answer;
  }
  Task<void> stop(bool at_once) override {
    calls.emplace_back(at_once ? "stop at once" : "stop");
    co_return;
  }
  std::string command_line() const override { return "fake"; }

  Result<std::string> read_new() override {
    if (read_error) return tl::make_unexpected(*read_error);
    std::string bytes;
    while (next_ < script_.size() && due(script_[next_].first)) bytes += script_[next_++].second;
    return bytes;
  }

  std::vector<std::string> calls;
  Result<void> start_result;
  bool answer = true;
  std::optional<Error> read_error;

 private:
  bool due(std::chrono::seconds after) const { return clock_.now() >= begin_ + after; }
  const Clock& clock_;
  TimePoint begin_;
  std::vector<std::pair<std::chrono::seconds, std::string>> script_;
  std::size_t next_ = 0;
  bool ends_ = false;
  std::pair<std::chrono::seconds, machine::MachineState> end_;
  machine::MachineState running_;
};

}  // namespace luf::testing
