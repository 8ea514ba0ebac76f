#include "run/supervise.h"

#include <algorithm>

#include "base/file.h"

namespace luf::run {
namespace {

using judge::RunEnd;
using std::chrono::seconds;

constexpr std::uint64_t kLeastFree = std::uint64_t{64}
                                     << 10U;  // bytes: less than a file's tail and a verdict need
constexpr seconds kTick(1);
constexpr seconds kAnswerPatience(5);

/// The state of one supervision.
class Supervision {
 public:
  Supervision(Watched& watched, const Patience& patience) : watched_(watched), patience_(patience) {
    start_ = last_event_ = watched.clock.now();
  }

  /// Takes in what is there; returns the end if that is reached.
  std::optional<RunEnd> look() {
    const machine::MachineState& state = watched_.machine.state();
    const bool ended =
        state.ended || state.guest_over;  // asked before reading: nothing is written after the end
    if (!read()) return RunEnd::kError;
    if (done_) return RunEnd::kDone;
    if (ended) return RunEnd::kMachineEnded;
    if (parser_.damage()) return RunEnd::kStreamDamaged;
    if (watched_.interrupt.asked()) return RunEnd::kCancelled;
    return late();
  }

  /// Reads what is left after the machine is gone.
  void finish() {
    read();
    parser_.finish();
    seen.damage = parser_.damage();
    seen.machine = watched_.machine.state();
    if (seen.end != RunEnd::kDone || seen.damage) seen.disk_full = disk_is_full();
  }

  TimePoint next_look() const { return std::min(deadline(), watched_.clock.now() + kTick); }

  judge::Observation seen;

 private:
  bool disk_is_full() const {
    return !watched_.directory.empty() && free_space(watched_.directory) < kLeastFree;
  }

  bool read() {
    const Result<std::string> bytes = watched_.events.read_new();
    if (!bytes) {
      seen.error = bytes.error();
      return false;
    }
    for (guest::Event& event : parser_.feed(*bytes)) {
      last_event_ = watched_.clock.now();
      done_ = done_ || event.name == watched_.last_event;
      if (watched_.seen) watched_.seen(event);
      seen.events.push_back(std::move(event));
    }
    return true;
  }

  TimePoint deadline() const {
    const TimePoint step = seen.events.empty() ? start_ + patience_.boot : last_event_ + patience_.stall;
    return std::min(step, start_ + patience_.whole);
  }

  std::optional<RunEnd> late() {
    if (disk_is_full()) {
      seen.error =
          Error{Blame::kInfra, "the disk of the run directory is full: " + watched_.directory.string()};
      return RunEnd::kError;
    }
    if (watched_.clock.now() < deadline()) return std::nullopt;
    if (seen.events.empty()) return RunEnd::kNoBoot;
    return watched_.clock.now() >= start_ + patience_.whole ? RunEnd::kOverrun : RunEnd::kStalled;
  }

  Watched& watched_;
  Patience patience_;
  guest::EventParser parser_;
  TimePoint start_;
  TimePoint last_event_;
  bool done_ = false;
};

}  // namespace

Task<judge::Observation> supervise(Watched watched, Patience patience) {
  Supervision supervision(watched, patience);
  const Result<void> started = co_await watched.machine.start(watched.clock.now() + patience.boot);
  if (!started) {
    supervision.seen.end = RunEnd::kError;
    supervision.seen.error = started.error();
  }
  while (started) {
    if (const std::optional<RunEnd> end = supervision.look()) {
      supervision.seen.end = *end;
      break;
    }
    if (watched.at_stop && watched.machine.state().stopped) {
      Task<void> session = watched.at_stop();
      co_await std::move(session);
      supervision.seen.end = RunEnd::kCancelled;
      break;
    }
    if (watched.tick) watched.tick();
    co_await watched.changed.wait_until(supervision.next_look());
  }
  if (supervision.seen.end == RunEnd::kStalled) {
    supervision.seen.emulator_answers =
        co_await watched.machine.answers(watched.clock.now() + kAnswerPatience);
  }
  if (supervision.seen.end == RunEnd::kDone && watched.before_stop) {
    Task<void> last_look = watched.before_stop();
    co_await std::move(last_look);
  }
  co_await watched.machine.stop(false);
  supervision.finish();
  co_return std::move(supervision.seen);
}

}  // namespace luf::run
