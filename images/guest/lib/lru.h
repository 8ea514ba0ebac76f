// The kernel's lists of pages that reclaim looks at.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

namespace luf::guest {

/// Brings pages that wait in per-CPU lists to the lists that reclaim looks at: move_pages(2) does so even when it is asked
/// to move nothing. Without NUMA it fails, and pages wait longer.
inline void drain_new_pages() {
  void* page = nullptr;
  const int node = 0;
  int status = 0;
  syscall(SYS_move_pages, 0, 0UL, &page, &node, &status, 0);
}

}  // namespace luf::guest
