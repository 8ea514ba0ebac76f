#include "tasks.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

namespace luf::oracle {
namespace {

constexpr std::size_t kTaskBytes = 16384;          ///< more than any kernel's task_struct
constexpr std::string_view kFirstName("swapper");  ///< of CPU 0's idle task

}  // namespace

Tasks::Tasks(const GuestMemory& memory, const Symbols& kernel) : memory_(memory) {
  const auto first = kernel.find("init_task");
  auto current = kernel.find("pcpu_hot");               // since 6.2; its first member
  if (!current) current = kernel.find("current_task");  // before
  if (!first || !current) return;
  init_task_ = first->address;
  current_ = current->address;
}

bool Tasks::read(const PagingState& paging, std::uint64_t address, void* to, std::size_t length) const {
  auto* out = static_cast<std::byte*>(to);
  while (length > 0) {
    const Translation where = walk(memory_, paging, address);
    const std::size_t piece = std::min<std::size_t>(length, kPageBytes - address % kPageBytes);
    const std::byte* from =
        where.present ? memory_.at((where.frame << kPageShift) + address % kPageBytes) : nullptr;
    if (from == nullptr) return false;
    std::memcpy(out, from, piece);
    out += piece;
    address += piece;
    length -= piece;
  }
  return true;
}

/// No header of the kernel is at hand, but the first task's name is known.
std::uint64_t Tasks::find_name_offset(const PagingState& paging) const {
  std::vector<char> task(kTaskBytes);
  if (!read(paging, init_task_, task.data(), task.size())) return 0;
  const auto at = std::search(task.begin(), task.end(), kFirstName.begin(), kFirstName.end());
  return at == task.end() ? 0 : static_cast<std::uint64_t>(at - task.begin());
}

TaskName Tasks::running(const PagingState& paging, std::uint64_t per_cpu_area) const {
  TaskName name{};
  if (init_task_ == 0 || per_cpu_area == 0) return name;
  if (name_at_ == 0) name_at_ = find_name_offset(paging);
  std::uint64_t task = 0;
  if (name_at_ == 0 || !read(paging, per_cpu_area + current_, &task, sizeof(task))) return name;
  if (!read(paging, task + name_at_, name.data(), name.size())) return TaskName{};
  name.back() = '\0';
  return name;
}

}  // namespace luf::oracle
