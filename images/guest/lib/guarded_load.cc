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

}  // namespace

bool install_load_guard() {
  struct sigaction action = {};
  action.sa_handler = on_fault;
  // Not deferred: the handler never returns, so nothing would unblock the signal.
  action.sa_flags = SA_NODEFER;
  return sigaction(SIGSEGV, &action, nullptr) == 0 && sigaction(SIGBUS, &action, nullptr) == 0;
}

bool guarded_load(const Line* at, Line& line) {
  if (sigsetjmp(fault_return, 0) != 0) {
    guarded = 0;
    return false;
  }
  guarded = 1;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  line = load_line(at);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  guarded = 0;
  return true;
}

}  // namespace luf::guest
