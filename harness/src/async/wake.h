// The clock that all deadlines use, and the one way to wait: until woken or until a deadline.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

namespace luf {

template <typename T>
using Task = boost::asio::awaitable<T>;

using TimePoint = std::chrono::steady_clock::time_point;

/// Tells the time and arms timers; tests put one in place that jumps.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const { return std::chrono::steady_clock::now(); }
  /// Arms `timer` to fire at `when`. The timer outlives its waiter.
  virtual void arm(boost::asio::steady_timer& timer, TimePoint when) { timer.expires_at(when); }
  /// Tells that nobody waits for `timer` any more.
  virtual void disarm(boost::asio::steady_timer&) {}
};

/// A condition with one waiter: "something changed, look again". Wake-ups are never lost: one that comes
/// while nobody waits ends the next wait at once. Thread: the io_context's.
class Wake {
 public:
  Wake(const boost::asio::any_io_executor& executor, Clock& clock) : clock_(clock), timer_(executor) {}

  /// Ends the wait. Safe to call at any time.
  void notify() {
    pending_ = true;
    timer_.cancel();
  }

  /// Returns at `notify()` or at `deadline`, whichever comes first; the caller checks its own condition.
  Task<void> wait_until(TimePoint deadline);

 private:
  Clock& clock_;
  boost::asio::steady_timer timer_;
  bool pending_ = false;
};

}  // namespace luf
