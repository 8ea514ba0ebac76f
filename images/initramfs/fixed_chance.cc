// Preloaded into the makers of file systems: time stands still and chance repeats itself, so that the same program makes the
// same image.
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>

#include <cstddef>

namespace {

constexpr time_t kNow = 1;

/// xorshift; any sequence will do.
unsigned char next_byte() {
  static unsigned long state = 0x6c75666265640001;
  state ^= state << 13U;
  state ^= state >> 7U;
  state ^= state << 17U;
  return static_cast<unsigned char>(state >> 32U);
}

void fill(void* at, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i) static_cast<unsigned char*>(at)[i] = next_byte();
}

}  // namespace

extern "C" {

time_t time(time_t* at) noexcept {
  if (at != nullptr) *at = kNow;
  return kNow;
}

int gettimeofday(timeval* at, void*) noexcept {
  *at = {kNow, 0};
  return 0;
}

int clock_gettime(clockid_t, timespec* at) noexcept {
  *at = {kNow, 0};
  return 0;
}

ssize_t getrandom(void* at, std::size_t length, unsigned) noexcept {
  fill(at, length);
  return static_cast<ssize_t>(length);
}

/// Of libuuid.
void uuid_generate(unsigned char* uuid) {
  constexpr std::size_t kLength = 16;
  fill(uuid, kLength);
}
}
