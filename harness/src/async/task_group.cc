#include "async/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>
#include <cstdio>
#include <cstdlib>

namespace luf {
namespace {

bool is_abort(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& system) {
    return system.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

TaskGroup::~TaskGroup() {
  if (running_ == 0) return;
  std::fputs("lufbed: bug: a task group was destroyed before it was joined\n", stderr);
  std::abort();  // a task would go on with references to dead objects
}

void TaskGroup::start(Task<void> task) {
  Slot& slot = slots_.emplace_back();
  ++running_;
  auto on_end = [this, &slot](const std::exception_ptr& error) {
    slot.running = false;
    --running_;
    if (error && !first_ && !(cancelled_ && is_abort(error))) first_ = error;
    idle_.notify();
  };
  boost::asio::co_spawn(executor_, std::move(task),
                        boost::asio::bind_cancellation_slot(slot.cancel.slot(), std::move(on_end)));
}

void TaskGroup::cancel() {
  cancelled_ = true;
  for (Slot& slot : slots_) {
    if (slot.running) slot.cancel.emit(boost::asio::cancellation_type::terminal);
  }
}

Task<void> TaskGroup::join() {
  while (running_ > 0) co_await idle_.wait_until(TimePoint::max());
  slots_.clear();
  if (first_) std::rethrow_exception(std::exchange(first_, nullptr));
}

}  // namespace luf
