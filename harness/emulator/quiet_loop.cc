// Keeps QEMU's main loop asleep while virtual CPUs run (LD_PRELOAD), so that it does not move a deterministic guest's clock.
//
// With `-icount sleep=off` the main loop, whenever it wakes, looks whether all virtual CPUs are halted and if so moves the
// virtual clock on to the next timer (icount_start_warp_timer). The thread of the CPUs wakes it for each timer that is due,
// and goes on. A main loop that comes late can so find the last CPU halted whose latest instructions are not counted yet:
// then the clock ends up ahead by their number, which is up to the host (docs/decisions/0009). So what the CPUs' thread
// writes to wake another thread is kept until it waits itself. By then all CPUs are halted and counted.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kOne = 1;  // what QEMU writes to an eventfd

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

ssize_t really_write(int fd, const void* bytes, std::size_t count) {
  static const auto real = next<ssize_t(int, const void*, std::size_t)>("write");
  return real(fd, bytes, count);
}

/// True in the CPUs' thread.
thread_local bool runs_cpus = false;

/// Wake-ups of the CPUs' thread that were not written yet. Of no other thread.
class KeptWakeUps {
 public:
  /// False when it has to be written now.
  bool keep(int fd) {
    if (count_ == 0) since_ = Clock::now();
    const bool there = std::find(fds_.begin(), fds_.begin() + count_, fd) != fds_.begin() + count_;
    if (!there && count_ == fds_.size()) return false;
    if (!there) fds_[count_++] = fd;
    // CPUs that never halt must not keep QEMU from a shutdown that one of them asked for.
    if (Clock::now() - since_ > std::chrono::milliseconds(100)) release();
    return true;
  }

  void release() {
    for (std::size_t i = 0; i < count_; ++i) (void)really_write(fds_[i], &kOne, sizeof(kOne));
    count_ = 0;
  }

 private:
  std::array<int, 8> fds_{};
  std::size_t count_ = 0;
  Clock::time_point since_;
} kept;

bool is_wake_up(int fd, const void* bytes, std::size_t count) {
  struct stat what = {};
  return count == sizeof(kOne) && std::memcmp(bytes, &kOne, sizeof(kOne)) == 0 && fstat(fd, &what) == 0 &&
         (what.st_mode & S_IFMT) == 0;  // an eventfd has no type
}

}  // namespace

/// A thread of QEMU names itself as it starts, given `-name debug-threads=on`.
EXPORT int pthread_setname_np(pthread_t thread, const char* name) noexcept {
  static const auto real = next<int(pthread_t, const char*)>("pthread_setname_np");
  if (std::strcmp(name, "ALL CPUs/TCG") == 0) runs_cpus = true;
  return real(thread, name);
}

EXPORT ssize_t write(int fd, const void* bytes, std::size_t count) {
  if (runs_cpus && is_wake_up(fd, bytes, count) && kept.keep(fd)) return static_cast<ssize_t>(count);
  return really_write(fd, bytes, count);
}

EXPORT int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  static const auto real = next<int(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait");
  if (runs_cpus) kept.release();
  return real(condition, mutex);
}
