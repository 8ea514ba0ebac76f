// The live line on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/units.h"
#include "guest/event.h"

namespace luf::report {

/// One line, rewritten in place: guests done, phase, loads, findings, time left. Silent when standard error
/// is no terminal. Thread: one.
class Progress {
 public:
  explicit Progress(bool is_terminal) : is_terminal_(is_terminal) {}

  /// `ahead`: guest time of the guests that have not begun, this one excluded.
  void begin_guest(std::size_t index, std::size_t total, std::string scenario, Nanoseconds duration,
                   Nanoseconds ahead);
  void take(const guest::Event& event);
  void show();
  /// Wipes the line, so that other text can be printed.
  void clear();
  /// A line that stays, on standard error, also without a terminal.
  void say(const std::string& line);

  /// The line as `show` prints it.
  std::string line() const;

 private:
  bool is_terminal_;
  std::size_t index_ = 0;
  std::size_t total_ = 0;
  std::string scenario_;
  std::string phase_ = "starting";
  Nanoseconds left_{};        ///< of this guest, at the begin of the phase
  Nanoseconds phase_time_{};  ///< passed in this phase
  Nanoseconds ahead_{};
  std::uint64_t loads_ = 0;
  std::uint64_t findings_ = 0;
};

}  // namespace luf::report
