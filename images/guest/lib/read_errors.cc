#include "lib/read_errors.h"

#include <signal.h>
#include <time.h>

#include <cerrno>

namespace luf::guest {
namespace {

constexpr std::uintptr_t kPageMask = ~std::uintptr_t{4095};
constexpr unsigned kMostInARow = 1000;
constexpr timespec kPause{0, 1'000'000};

std::atomic<std::uint64_t>* errors = nullptr;
std::atomic<std::uintptr_t> last_page{0};
std::atomic<unsigned> in_a_row{0};

/// Returning makes the CPU access the page once more.
void on_bus_error(int signal, siginfo_t* info, void*) {
  const int saved_errno = errno;
  const auto page = reinterpret_cast<std::uintptr_t>(info->si_addr) & kPageMask;
  errors->fetch_add(1, std::memory_order_relaxed);
  if (last_page.exchange(page) != page) in_a_row = 0;
  if (++in_a_row >= kMostInARow) {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
  } else {
    nanosleep(&kPause, nullptr);
  }
  errno = saved_errno;
}

}  // namespace

bool retry_read_errors(std::atomic<std::uint64_t>& count) {
  struct sigaction action = {};
  if (sigaction(SIGBUS, nullptr, &action) != 0) return false;
  if (action.sa_handler != SIG_DFL) return true;
  errors = &count;
  action = {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  return sigaction(SIGBUS, &action, nullptr) == 0;
}

}  // namespace luf::guest
