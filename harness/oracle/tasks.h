// Which task a CPU runs, by the kernel's own data: needs the kernel's symbols.
#pragma once

#include <array>
#include <cstdint>

#include "guest_memory.h"
#include "page_walk.h"
#include "symbols.h"

namespace luf::oracle {

/// The name of a task, as in /proc/PID/comm; empty when it cannot be told.
using TaskName = std::array<char, 16>;

class Tasks {
 public:
  Tasks(const GuestMemory& memory, const Symbols& kernel);

  /// Of the task that runs on the CPU with that per-CPU area, whose page tables are `paging`. Thread: any.
  TaskName running(const PagingState& paging, std::uint64_t per_cpu_area) const;

 private:
  std::uint64_t find_name_offset(const PagingState& paging) const;
  bool read(const PagingState& paging, std::uint64_t address, void* to, std::size_t length) const;
  const GuestMemory& memory_;
  std::uint64_t init_task_ = 0;        ///< address of the first task
  std::uint64_t current_ = 0;          ///< offset of the running task's pointer in a per-CPU area
  mutable std::uint64_t name_at_ = 0;  ///< offset of the name in a task; 0: not looked for yet
};

}  // namespace luf::oracle
