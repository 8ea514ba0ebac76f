// Makes the wall clock stand still inside QEMU (LD_PRELOAD), so that a deterministic guest's TLBs do not depend on it.
//
// QEMU asks the wall clock, by gettimeofday(), whenever the guest flushes a TLB: a soft TLB that was hardly used for
// 100 ms of host time shrinks then (accel/tcg/cputlb.c). Which stale entry survives would so follow the load of the
// host. With the clock at rest a TLB only grows, and only by what the guest does. The guest's own clocks count
// instructions, and QEMU's time limits use another clock: neither is touched.
#include <sys/time.h>

extern "C" __attribute__((visibility("default"))) int gettimeofday(struct timeval* time,
                                                                   void* zone) noexcept {
  constexpr time_t kStart2020 = 1577836800;
  *time = {kStart2020, 0};
  if (zone != nullptr) *static_cast<struct timezone*>(zone) = {0, 0};
  return 0;
}
