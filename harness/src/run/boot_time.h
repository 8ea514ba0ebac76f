// How long a guest takes from nothing to its first words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "judge/judge.h"
#include "machine/qemu_command.h"
#include "run/settings.h"

namespace luf::run {

/// A guest that was ended after its first event.
struct FirstEvent {
  judge::Observation seen;  ///< `end` is kDone when the event came; the console is what it held by then
  Nanoseconds took{};       ///< from just before QEMU's start to the event `boot` here
};

/// Boots lufbed's guest, without a plan, to the event `boot` and ends it. `setup` needs no files for plan, console,
/// events and output: they are made, and gone at return. Errors: infra, cancelled; not what the guest does.
Task<Result<FirstEvent>> boot_to_first_event(const Environment& environment, const machine::QemuSetup& setup,
                                             Nanoseconds patience);

/// The same for the bare guest (machine::bare_command), to the first byte of its line. Errors: infra, cancelled, timeout.
Task<Result<Nanoseconds>> boot_to_bare_line(const Environment& environment, const machine::QemuSetup& setup,
                                            Nanoseconds patience);

/// When the first byte of a line arrived in a stream that holds other text too.
class FirstByte {
 public:
  explicit FirstByte(std::string_view line) : line_(line) {}
  void take(std::string_view bytes, TimePoint now);
  /// Empty until the whole line is there.
  std::optional<TimePoint> when() const;

 private:
  struct Arrival {
    std::size_t end;
    TimePoint at;
  };
  std::string line_;
  std::string text_;
  std::vector<Arrival> arrivals_;
};

/// One value per pair, in order.
struct BootTimes {
  std::vector<double> lufbed;  ///< ms
  std::vector<double> bare;    ///< ms
};

/// Takes turns between the two, `pairs` times; who goes first alternates, so that a host that slows down or speeds up
/// favours neither. Only `initramfs` differs between `lufbed` and `bare`. Errors: infra, timeout, cancelled.
Task<Result<BootTimes>> measure_boots(const Environment& environment, const machine::QemuSetup& lufbed,
                                      const machine::QemuSetup& bare, std::int64_t pairs);

/// Five-number summary; quartiles are interpolated between neighbours. `values` must not be empty.
struct Spread {
  double min, quarter, median, three_quarters, max;
};
Spread spread_of(std::vector<double> values);

}  // namespace luf::run
