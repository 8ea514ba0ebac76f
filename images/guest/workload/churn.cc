// Workload: takes memory, fills it with self-describing pages of its own file id, frees it, without end.
// Frames that reclaim or migration have just freed get a new owner within milliseconds, and a reader that
// still reaches one of them sees whose it is now.
//
// One process on every CPU that is not for readers (freed frames wait in per-CPU lists), each taking from all
// nodes in turn; anonymous memory and tmpfs files (page cache) alternate.
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "lib/page_pattern.h"
#include "lib/params.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<Param, 2> kParams{{
    {.name = "amount",
     .type = ParamType::size,
     .default_number = 4U << 20U,
     .min = 64U << 10U,
     .max = 256U << 20U,
     .summary = "memory taken at once by all processes together"},
    duration_param("period", 1'000'000, 0, "pause after memory was freed"),
}};

void take_from_node(unsigned node, unsigned nodes) {
  if (nodes < 2) return;
  const unsigned long mask = 1UL << node;
  syscall(SYS_set_mempolicy, MPOL_BIND, &mask, sizeof(mask) * 8);
}

bool churn_anonymous(PartContext& context, std::uint64_t pages, std::uint64_t round) {
  void* at = mmap(nullptr, pages * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return false;
  madvise(at, pages * kPageSize, MADV_NOHUGEPAGE);
  auto* bytes = static_cast<char*>(at);
  for (std::uint64_t page = 0; page < pages && !context.stopping(); ++page) {
    fill_page(bytes + page * kPageSize, context.owner(), page, round);
  }
  munmap(at, pages * kPageSize);
  return true;
}

bool churn_file(PartContext& context, int fd, std::uint64_t pages, std::uint64_t round) {
  alignas(kPageSize) static std::uint64_t page_data[kPageSize / sizeof(std::uint64_t)];
  for (std::uint64_t page = 0; page < pages && !context.stopping(); ++page) {
    fill_page(page_data, context.owner(), page, round);
    if (pwrite(fd, page_data, kPageSize, static_cast<off_t>(page * kPageSize)) < 0) return false;
  }
  return ftruncate(fd, 0) == 0;
}

void churn_on(PartContext& context, unsigned worker, std::uint64_t pages, std::atomic<std::uint64_t>& taken) {
  const std::string path = "/tmp/" + context.id() + "." + std::to_string(worker);
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) context.fail("open %s: %s", path.c_str(), std::strerror(errno));
  const std::uint64_t period = context.number("period");
  const unsigned nodes = context.topology().nodes;
  context.spin_for_start();
  for (std::uint64_t round = 1; !context.stopping(); ++round) {
    take_from_node(static_cast<unsigned>(round % nodes), nodes);
    const bool ok = (round / nodes) % 2 == 0 ? churn_anonymous(context, pages, round)
                                             : churn_file(context, fd, pages, round);
    if (!ok)
      context.fail("take %llu pages: %s", static_cast<unsigned long long>(pages), std::strerror(errno));
    taken.fetch_add(pages, std::memory_order_relaxed);
    sleep_ns(period);
  }
  unlink(path.c_str());
}

void run(PartContext& context) {
  auto& taken = context.metric("pages");
  const unsigned workers = context.topology().worker_cpus();
  const std::uint64_t pages = std::max<std::uint64_t>(1, context.number("amount") / kPageSize / workers);
  for (unsigned worker = 0; worker < workers; ++worker) {
    context.fork_pinned(context.worker_cpu(worker), [&] { churn_on(context, worker, pages, taken); });
  }
  context.wait_for_start();
  context.supervise();
}

}  // namespace

extern const Part churn{
    .kind = PartKind::workload,
    .name = "churn",
    .summary = "takes, fills and frees memory, so that freed frames get a new owner quickly",
    .params = kParams,
    .run = run};

}  // namespace luf::guest
