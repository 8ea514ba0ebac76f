#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <stdexcept>

#include "async/task_group.h"
#include "support/fake_clock.h"

namespace luf {
namespace {

using std::chrono::seconds;
using testing::FakeClock;

struct Loop {
  boost::asio::io_context context;
  FakeClock clock;
  std::exception_ptr thrown;

  void run(Task<void> task) {
    boost::asio::co_spawn(context, std::move(task),
                          [this](const std::exception_ptr& error) { thrown = error; });
    clock.run(context);
  }
};

Task<void> wait_for(Wake& wake, TimePoint deadline, bool& done) {
  co_await wake.wait_until(deadline);
  done = true;
}

Task<void> explode() {
  throw std::runtime_error("boom");
  co_return;
}

Task<void> wait_forever(Wake& wake) {
  while (true) co_await wake.wait_until(TimePoint::max());
}

Task<void> start_two_and_join(TaskGroup& group, Wake& wake) {
  group.start(wait_forever(wake));
  group.start(explode());
  group.cancel();
  co_await group.join();
}

TEST(Wake, ends_at_its_deadline) {
  Loop loop;
  Wake wake(loop.context.get_executor(), loop.clock);
  bool done = false;
  const TimePoint deadline = loop.clock.now() + seconds(5);
  loop.run(wait_for(wake, deadline, done));
  EXPECT_TRUE(done);
  EXPECT_EQ(loop.clock.now(), deadline);
}

TEST(Wake, keeps_a_notification_that_came_early) {
  Loop loop;
  Wake wake(loop.context.get_executor(), loop.clock);
  wake.notify();
  bool done = false;
  const TimePoint before = loop.clock.now();
  loop.run(wait_for(wake, before + seconds(5), done));
  EXPECT_TRUE(done);
  EXPECT_EQ(loop.clock.now(), before);
}

TEST(TaskGroup, joins_all_and_rethrows_the_first_failure) {
  Loop loop;
  Wake wake(loop.context.get_executor(), loop.clock);
  TaskGroup group(loop.context.get_executor(), loop.clock);
  // The waiter swallows cancellation as "look again", so it ends by the terminal state of its coroutine.
  loop.run(start_two_and_join(group, wake));
  ASSERT_TRUE(loop.thrown);
  EXPECT_THROW(std::rethrow_exception(loop.thrown), std::runtime_error);
}

}  // namespace
}  // namespace luf
