// A host that holds QEMU's threads up where it hurts (LD_PRELOAD): the one of the virtual CPUs between the halt of a CPU and
// the count of its instructions, which it leaves by siglongjmp(), one time in sixteen; the main loop after each wake-up.
#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

#include <csetjmp>
#include <random>

namespace {

constexpr unsigned kLongest = 400;  // microseconds

thread_local std::minstd_rand chance{std::random_device{}()};

[[noreturn]] void jump(const char* name, sigjmp_buf where, int value) {
  if (chance() % 16 == 0) usleep(kLongest);
  reinterpret_cast<void (*)(sigjmp_buf, int)>(dlsym(RTLD_NEXT, name))(where, value);
  __builtin_unreachable();
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int ppoll(struct pollfd* files, nfds_t count,
                                                 const struct timespec* patience, const sigset_t* mask) {
  static const auto real =
      reinterpret_cast<int (*)(struct pollfd*, nfds_t, const struct timespec*, const sigset_t*)>(
          dlsym(RTLD_NEXT, "ppoll"));
  const int ready = real(files, count, patience, mask);
  usleep(static_cast<useconds_t>(chance() % kLongest));
  return ready;
}

[[noreturn]] __attribute__((visibility("default"))) void siglongjmp(sigjmp_buf where, int value) {
  jump("siglongjmp", where, value);
}

/// What siglongjmp() is in a QEMU that was compiled with _FORTIFY_SOURCE.
[[noreturn]] __attribute__((visibility("default"))) void __longjmp_chk(sigjmp_buf where, int value) {
  jump("__longjmp_chk", where, value);
}
}
