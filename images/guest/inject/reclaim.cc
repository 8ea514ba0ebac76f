// Injector: makes the kernel reclaim pages of the parts.
//
// `memcg` writes to memory.reclaim of the cgroup that holds the parts. It clears accessed bits without a
// flush, and a TLB entry that is already filled does not set them again: after two passes the page goes
// although it is being read. When nothing is left to take, the kernel would try for up to a second; a timer's
// signal ends the pass after its first vain try.
//
// `pageout` uses process_madvise(MADV_PAGEOUT) on the registered targets. It skips pages that more than one
// process maps, and flushes the address space when an accessed bit was set.
//
// `cold` uses process_madvise(MADV_COLD) on them, which puts them where reclaim looks first, and then reclaims as `memcg`
// does. It spares the same pages as `pageout`. Effect: pages stolen from the
// cgroup's lists.
//
// Runs on CPU 0, outside the cgroup.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "lib/lru.h"
#include "lib/params.h"
#include "lib/part_context.h"
#include "lib/unmappers.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 3> kVia{"memcg", "pageout", "cold"};
constexpr std::array<Param, 3> kParams{{
    {.name = "via",
     .type = ParamType::choice,
     .default_choice = "memcg",
     .choices = kVia,
     .summary = "memory.reclaim of the parts' cgroup, MADV_PAGEOUT on what detectors registered, or "
                "MADV_COLD on that "
                "and then memory.reclaim"},
    duration_param("period", 5'000'000, 10'000, "pause between two passes"),
    {.name = "amount",
     .type = ParamType::size,
     .default_number = 64U << 10U,
     .min = 4096,
     .max = 1U << 30U,
     .summary = "asked of memory.reclaim in one pass"},
}};

constexpr std::uint64_t kDrainEvery = 8;
constexpr suseconds_t kPassLimitUs = 5000;

void on_alarm(int) {}

void limit_pass(suseconds_t us) {
  // Again and again: the first signal may come before the write has begun.
  const itimerval limit{{0, us}, {0, us}};
  setitimer(ITIMER_REAL, &limit, nullptr);
}

void reclaim_by_memcg(PartContext& context, int fd, const std::string& amount) {
  limit_pass(kPassLimitUs);
  // Less than asked for (EAGAIN) is normal: the detectors' files are small.
  if (pwrite(fd, amount.data(), amount.size(), 0) < 0 && errno != EAGAIN && errno != EINTR) {
    context.fail("write %s to memory.reclaim: %s", amount.c_str(), std::strerror(errno));
  }
  limit_pass(0);
}

/// Returns the bytes that the kernel walked.
std::uint64_t advise(const Target& target, int advice) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, target.pid.load(), 0));
  if (pidfd < 0) return 0;
  const iovec region{target.address, target.length};
  const long done = syscall(SYS_process_madvise, pidfd, &region, 1UL, advice, 0U);
  close(pidfd);
  return done > 0 ? static_cast<std::uint64_t>(done) : 0;
}

void run(PartContext& context) {
  const std::string via = context.choice("via");
  const bool by_memcg = via != "pageout";
  const int advice = via == "cold" ? MADV_COLD : MADV_PAGEOUT;
  const std::string amount = std::to_string(context.number("amount"));
  const std::uint64_t period = context.number("period");
  auto& passes = context.metric("passes");
  auto& walked = context.metric("walked_bytes");
  const int fd = by_memcg ? open("/sys/fs/cgroup/lufbed/memory.reclaim", O_WRONLY | O_CLOEXEC) : -1;
  if (by_memcg && fd < 0) context.fail("open memory.reclaim of the parts' cgroup: %s", std::strerror(errno));
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  struct sigaction alarm = {};
  alarm.sa_handler = on_alarm;
  sigaction(SIGALRM, &alarm, nullptr);
  context.wait_for_start();
  const std::uint64_t before = cgroup_sum({"pgsteal"});
  for (std::uint64_t pass = 1; !context.stopping(); ++pass) {
    if (via != "memcg")
      unmap_targets(context,
                    [&](std::size_t, const Target& target) { walked.fetch_add(advise(target, advice)); });
    if (by_memcg) {
      if (pass % kDrainEvery == 0) drain_new_pages();
      const Unmapping unmapping(context.area(), context.index());
      reclaim_by_memcg(context, fd, amount);
    }
    passes.fetch_add(1);
    sleep_ns(period);
  }
  if (via == "cold") context.metric("effects").fetch_add(cgroup_sum({"pgsteal"}) - before);
}

}  // namespace

extern const Part reclaim{.kind = PartKind::injector,
                          .name = "reclaim",
                          .summary = "makes the kernel reclaim the parts' pages, again and again",
                          .params = kParams,
                          .run = run};

}  // namespace luf::guest
