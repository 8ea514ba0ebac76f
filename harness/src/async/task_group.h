// Structured concurrency: no task outlives the group that started it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <exception>
#include <list>

#include "async/wake.h"

namespace luf {

/// Starts tasks and waits for all of them. The one place that calls `co_spawn` beside main.
/// Thread: the io_context's. The owner must `join()` before the group is destroyed.
class TaskGroup {
 public:
  TaskGroup(const boost::asio::any_io_executor& executor, Clock& clock)
      : executor_(executor), idle_(executor, clock) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  /// Starts `task`; what it refers to must live until `join()` returned.
  void start(Task<void> task);

  /// Asks all running tasks to end: their current wait returns with operation_aborted.
  void cancel();

  /// Waits until all tasks have ended, then rethrows the first exception of any. A task that ends because of
  /// `cancel()` counts as ended well.
  Task<void> join();

 private:
  struct Slot {
    boost::asio::cancellation_signal cancel;
    bool running = true;
  };
  boost::asio::any_io_executor executor_;
  Wake idle_;
  std::list<Slot> slots_;
  std::size_t running_ = 0;
  bool cancelled_ = false;
  std::exception_ptr first_;
};

}  // namespace luf
