// A clock that jumps to the next deadline instead of waiting for it.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <map>

#include "async/wake.h"

namespace luf::testing {

/// See Clock. Thread: one.
class FakeClock : public Clock {
 public:
  TimePoint now() const override { return now_; }
  void arm(boost::asio::steady_timer& timer, TimePoint when) override {
    timer.expires_at(TimePoint::max());
    sleepers_[&timer] = when;
  }
  void disarm(boost::asio::steady_timer& timer) override { sleepers_.erase(&timer); }

  /// Jumps to the earliest deadline and wakes its waiter; false when nobody waits for a time.
  bool jump() {
    const auto earliest = std::min_element(sleepers_.begin(), sleepers_.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
    if (earliest == sleepers_.end() || earliest->second == TimePoint::max()) return false;
    now_ = std::max(now_, earliest->second);
    boost::asio::steady_timer* timer = earliest->first;
    sleepers_.erase(earliest);
    timer->cancel();
    return true;
  }

  /// Runs the context until nothing is left to do, jumping over every wait.
  void run(boost::asio::io_context& context) {
    do {
      context.restart();
      context.poll();
    } while (jump());
  }

 private:
  TimePoint now_{std::chrono::hours(1)};
  std::map<boost::asio::steady_timer*, TimePoint> sleepers_;
};

}  // namespace luf::testing
