// Workload: holds references to the pages that detectors registered, for a while, again and again. Reclaim and migration
// then unmap a page and find that they cannot have it: it stays where it is, mapped nowhere, with what was deferred for it.
//
// A reference is one of a pipe: splice(2) moves the file's page there, not its bytes. The file is opened by way of
// /proc/PID/map_files. Runs on CPU 0, in the parts' cgroup: what it reads is charged there and can be reclaimed.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/page_pattern.h"
#include "lib/params.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<Param, 2> kParams{{
    period_param(10'000'000, "how long references are held, and the pause until the next ones"),
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 12,
     .min = 1,
     .max = 15,
     .summary = "pages held at a time; a pipe has 16 places"},
}};

/// The file behind a target's mapping, or -1.
int open_target(const Target& target, pid_t pid) {
  char path[128];
  std::snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", pid,
                reinterpret_cast<unsigned long>(target.address),
                reinterpret_cast<unsigned long>(target.address + target.length));
  return open(path, O_RDONLY | O_CLOEXEC);
}

/// Takes references, keeps them for `period`, drops them. Returns the pages held.
std::uint64_t hold(PartContext& context, int fd, std::uint64_t first, std::uint64_t pages,
                   std::uint64_t period) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) context.fail("pipe: %s", std::strerror(errno));
  auto at = static_cast<loff_t>(first * kPageSize);
  const ssize_t taken = splice(fd, &at, ends[1], nullptr, pages * kPageSize, SPLICE_F_NONBLOCK);
  if (taken > 0) sleep_ns(period);
  close(ends[0]);
  close(ends[1]);
  return taken > 0 ? static_cast<std::uint64_t>(taken) / kPageSize : 0;
}

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  const std::uint64_t pages = context.number("pages");
  auto& held = context.metric("pages");
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  for (std::uint64_t round = 0; !context.stopping(); ++round) {
    for (const Target& target : context.area().targets) {
      const pid_t pid = target.pid.load(std::memory_order_acquire);
      if (pid == 0) break;
      const int fd = open_target(target, pid);
      if (fd < 0) continue;  // memory without a file
      const std::uint64_t all = target.length / kPageSize;
      held.fetch_add(hold(context, fd, round * pages % all, pages, period));
      close(fd);
    }
    sleep_ns(period);
  }
}

}  // namespace

extern const Part pin{
    .kind = PartKind::workload,
    .name = "pin",
    .summary = "holds references to the detectors' pages, so that they are unmapped and kept",
    .params = kParams,
    .run = run};

}  // namespace luf::guest
