// /init of the bare guest: one line to the console, then nothing. Without a C library, so that nothing but the kernel
// takes time.
#include <sys/syscall.h>

#include "protocol/bare_line.h"

namespace {

long call_kernel(long number, long first, const void* second, long third) {
  long result = number;
  asm volatile("syscall" : "+a"(result) : "D"(first), "S"(second), "d"(third) : "rcx", "r11", "memory");
  return result;
}

}  // namespace

extern "C" [[noreturn]] void _start() {
  call_kernel(SYS_write, 1, luf::protocol::kBareLine, sizeof(luf::protocol::kBareLine) - 1);
  for (;;) call_kernel(SYS_pause, 0, nullptr, 0);
}
