// Injector: makes the kernel reclaim pages of the parts.
//
// `memcg` writes to memory.reclaim of the cgroup that holds the parts. It clears accessed bits without a flush, and a
// TLB entry that is already filled does not set them again: after two passes the page goes although it is being read.
// `pageout` uses process_madvise(MADV_PAGEOUT) on the registered targets. It skips pages that more than one process
// maps, and flushes the address space when an accessed bit was set.
// Runs on CPU 0, outside the cgroup.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kVia{"memcg", "pageout"};
constexpr std::array<Param, 3> kParams{{
    {.name = "via", .type = ParamType::choice, .default_choice = "memcg", .choices = kVia,
     .summary = "memory.reclaim of the parts' cgroup, or MADV_PAGEOUT on what detectors registered"},
    {.name = "period", .type = ParamType::duration, .default_number = 5'000'000, .min = 10'000, .max = 60'000'000'000,
     .summary = "pause between two passes"},
    {.name = "amount", .type = ParamType::size, .default_number = 1U << 20U, .min = 4096, .max = 1U << 30U,
     .summary = "asked of memory.reclaim in one pass"},
}};

void reclaim_by_memcg(PartContext& context, int fd, const std::string& amount) {
  // Less than asked for (EAGAIN) is normal: the detectors' files are small.
  if (pwrite(fd, amount.data(), amount.size(), 0) < 0 && errno != EAGAIN && errno != EINTR) {
    context.fail("write %s to memory.reclaim: %s", amount.c_str(), std::strerror(errno));
  }
}

/// Returns the bytes that the kernel walked.
std::uint64_t page_out(const Target& target) {
  const pid_t pid = target.pid.load(std::memory_order_acquire);
  const int pidfd = pid == 0 ? -1 : static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return 0;
  const iovec region{reinterpret_cast<void*>(target.address), target.length};
  const long done = syscall(SYS_process_madvise, pidfd, &region, 1UL, MADV_PAGEOUT, 0U);
  close(pidfd);
  return done > 0 ? static_cast<std::uint64_t>(done) : 0;
}

void run(PartContext& context) {
  const bool by_memcg = context.choice("via") == "memcg";
  const std::string amount = std::to_string(context.number("amount"));
  const std::uint64_t period = context.number("period");
  auto& passes = context.metric("passes");
  auto& walked = context.metric("walked_bytes");
  const int fd = by_memcg ? open("/sys/fs/cgroup/lufbed/memory.reclaim", O_WRONLY | O_CLOEXEC) : -1;
  if (by_memcg && fd < 0) context.fail("open memory.reclaim of the parts' cgroup: %s", std::strerror(errno));
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    if (by_memcg) {
      reclaim_by_memcg(context, fd, amount);
    } else {
      for (const Target& target : context.area().targets) walked.fetch_add(page_out(target));
    }
    passes.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace

extern const Part reclaim{.kind = PartKind::injector, .name = "reclaim",
                          .summary = "makes the kernel reclaim the parts' pages, again and again", .params = kParams,
                          .run = run};

}  // namespace luf::guest
