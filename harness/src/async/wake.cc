#include "async/wake.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace luf {

Task<void> Wake::wait_until(TimePoint deadline) {
  if (!pending_ && clock_.now() < deadline) {
    clock_.arm(timer_, deadline);
    // Cancelled by notify(), fired, or cancelled from outside: all mean "look again".
    const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    co_await timer_.async_wait(token);
    clock_.disarm(timer_);
  }
  pending_ = false;
}

}  // namespace luf
