#include "lib/read_errors.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <thread>

#include "lib/page_pattern.h"

namespace luf::guest {
namespace {

using Count = std::atomic<std::uint64_t>;

/// A page of an empty file: SIGBUS until the file grows, as for a page whose read fails until it succeeds.
class ReadErrors : public testing::Test {
 protected:
  ReadErrors()
      : file_(std::tmpfile()),
        page_(mmap(nullptr, kPageSize, PROT_READ, MAP_SHARED, fileno(file_), 0)),
        count_(static_cast<Count*>(
            mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~ReadErrors() override {
    munmap(page_, kPageSize);
    munmap(count_, kPageSize);
    std::fclose(file_);
  }

  /// What wait() says of a process that does this.
  static int in_process(const std::function<int()>& body) {
    const pid_t pid = fork();
    if (pid == 0) {
      signal(SIGBUS, SIG_DFL);
      _exit(body());
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return status;
  }

  void grow_after_first_error() const {
    while (*count_ == 0) std::this_thread::yield();
    if (ftruncate(fileno(file_), kPageSize) != 0) std::perror("ftruncate");
  }

  int load() const { return *static_cast<volatile unsigned char*>(page_); }

  std::FILE* file_;
  void* page_;
  Count* count_;
};

TEST_F(ReadErrors, one_that_passes_is_counted_and_nothing_more) {
  const int status = in_process([&] {
    if (!retry_read_errors(*count_)) return 1;
    std::thread disk([&] { grow_after_first_error(); });
    const int value = load();
    disk.join();
    return value == 0 ? 0 : 2;
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_GE(*count_, 1U);
}

TEST_F(ReadErrors, one_that_stays_kills) {
  const int status = in_process([&] { return retry_read_errors(*count_) ? load() : 1; });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS) << status;
  EXPECT_EQ(*count_, 1000U);
}

TEST_F(ReadErrors, leave_a_handler_alone) {
  const int status = in_process([&] {
    signal(SIGBUS, [](int) { _exit(7); });
    return retry_read_errors(*count_) ? load() : 1;
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  EXPECT_EQ(*count_, 0U);
}

}  // namespace
}  // namespace luf::guest
