#include "lib/guarded_load.h"

#include <setjmp.h>
#include <signal.h>

#include <atomic>

namespace luf::guest {

namespace {

thread_local sigjmp_buf fault_return;
thread_local volatile sig_atomic_t guarded = 0;

void on_fault(int signal) {
  if (guarded != 0) siglongjmp(fault_return, 1);
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
}

/// False: `access` faulted.
template <typename Access>
bool survives(const Access& access) {
  if (sigsetjmp(fault_return, 0) != 0) {
    guarded = 0;
    return false;
  }
  guarded = 1;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  access();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  guarded = 0;
  return true;
}

}  // namespace

bool install_load_guard() {
  struct sigaction action = {};
  action.sa_handler = on_fault;
  // Not deferred: the handler never returns, so nothing would unblock the signal.
  action.sa_flags = SA_NODEFER;
  return sigaction(SIGSEGV, &action, nullptr) == 0 && sigaction(SIGBUS, &action, nullptr) == 0;
}

bool guarded_load(const Line* at, Line& line) {
  return survives([&] { line = load_line(at); });
}

bool guarded_store(const Line* at, Line& line) {
  return survives([&] {
    __atomic_store_n(const_cast<std::uint64_t*>(&at->filler[0]), kLineFiller, __ATOMIC_RELAXED);
    line = load_line(at);
  });
}

bool guarded_restamp(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version,
                     std::uint64_t number) {
  return survives([&] { restamp_line(page, owner, index, version, number); });
}

}  // namespace luf::guest
