#include "lib/read_errors.h"

#include <signal.h>

#include <cerrno>

#include "lib/page_pattern.h"
#include "lib/part_context.h"

namespace luf::guest {
namespace {

constexpr unsigned kMostInARow = 1000;
constexpr std::uint64_t kPauseNs = 1'000'000;

std::atomic<std::uint64_t>* errors = nullptr;
std::atomic<std::uintptr_t> last_page{0};
std::atomic<unsigned> in_a_row{0};

/// Returning makes the CPU access the page once more.
void on_bus_error(int signal, siginfo_t* info, void*) {
  const int saved_errno = errno;
  const auto page = reinterpret_cast<std::uintptr_t>(info->si_addr) / kPageSize;
  errors->fetch_add(1, std::memory_order_relaxed);
  if (last_page.exchange(page) != page) in_a_row = 0;
  if (++in_a_row >= kMostInARow) {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
  } else {
    sleep_ns(kPauseNs);
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
  action.sa_flags = SA_SIGINFO;
  return sigaction(SIGBUS, &action, nullptr) == 0;
}

}  // namespace luf::guest
