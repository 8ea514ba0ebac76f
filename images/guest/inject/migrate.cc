// Injector: moves the registered targets' pages from node to node. The kernel unmaps, copies and maps them elsewhere; the
// old frames are free at once.
//
// `move_pages` moves a batch at a time. `migrate_pages` moves all that the target's process has on other nodes. `mbind`
// maps the target's file a second time, and binds that mapping: its pages move, and so do they in every other mapping.
//
// Effect of the last two: pages that the kernel migrated meanwhile. Runs outside the parts' cgroup.
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "lib/page_pattern.h"
#include "lib/params.h"
#include "lib/part_context.h"
#include "lib/unmappers.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kCpus{"last", "first"};
constexpr std::array<std::string_view, 3> kVia{"move_pages", "migrate_pages", "mbind"};
constexpr std::array<Param, 4> kParams{{
    via_param(kVia, "the system call that moves them"),
    duration_param("period", 5'000'000, 10'000, "pause between two batches"),
    {.name = "batch",
     .type = ParamType::count,
     .default_number = 16,
     .min = 1,
     .max = 512,
     .summary = "pages moved by one call of move_pages"},
    {.name = "cpu",
     .type = ParamType::choice,
     .default_choice = "last",
     .choices = kCpus,
     .summary = "which of the CPUs that are not for detectors' readers it runs on"},
}};

/// Walks one target, a batch a call; when it comes to the end it turns to the next node.
struct Course {
  std::uint64_t next_page = 0;
  unsigned node = 0;
};

struct Buffers {
  std::vector<void*> pages;
  std::vector<int> nodes;
  std::vector<int> status;
};

/// Returns the number of pages that are on the wanted node after the call.
std::uint64_t move_batch(const Target& target, Course& course, std::uint64_t batch, unsigned nodes,
                         Buffers& buffers) {
  const std::uint64_t pages = target.length / kPageSize;
  const std::uint64_t count = std::min(batch, pages - course.next_page);
  buffers.pages.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    buffers.pages.push_back(target.address + (course.next_page + i) * kPageSize);
  }
  buffers.nodes.assign(count, static_cast<int>(course.node));
  buffers.status.assign(count, -1);
  // Pages that several processes map are moved as well (MPOL_MF_MOVE_ALL).
  syscall(SYS_move_pages, target.pid.load(), count, buffers.pages.data(), buffers.nodes.data(),
          buffers.status.data(), MPOL_MF_MOVE_ALL);
  course.next_page += count;
  if (course.next_page == pages) course = {0, (course.node + 1) % nodes};
  return static_cast<std::uint64_t>(
      std::count(buffers.status.begin(), buffers.status.end(), buffers.nodes.front()));
}

/// A file that a target maps, mapped here too.
class SecondMapping {
 public:
  explicit SecondMapping(const Target& target) : length_(target.length) {
    char path[96];
    std::snprintf(
        path, sizeof(path), "/proc/%d/map_files/%llx-%llx", target.pid.load(),
        static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(target.address)),
        static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(target.address) + length_));
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    at_ = mmap(nullptr, length_, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    close(fd);
  }
  ~SecondMapping() {
    if (at_ != MAP_FAILED) munmap(at_, length_);
  }
  SecondMapping(const SecondMapping&) = delete;
  SecondMapping& operator=(const SecondMapping&) = delete;

  void move_to(unsigned node) const {
    if (at_ == MAP_FAILED) return;
    const unsigned long mask = 1UL << node;
    syscall(SYS_mbind, at_, length_, MPOL_PREFERRED, &mask, 8 * sizeof(mask), MPOL_MF_MOVE_ALL);
    // The policy of a file in memory outlives the mapping.
    syscall(SYS_mbind, at_, length_, MPOL_DEFAULT, nullptr, 0UL, 0U);
  }

 private:
  std::uint64_t length_;
  void* at_ = MAP_FAILED;
};

void migrate_process(const Target& target, unsigned node, unsigned nodes) {
  const unsigned long to = 1UL << node;
  const unsigned long from = ((1UL << nodes) - 1) & ~to;
  syscall(SYS_migrate_pages, target.pid.load(), 8 * sizeof(to), &from, &to);
}

/// Moves all at once; returns the pages that the kernel migrated meanwhile.
std::uint64_t move_all(std::string_view via, const Target& target, Course& course, unsigned nodes) {
  const std::uint64_t before = vmstat_sum({"pgmigrate_success"});
  if (via == "mbind") {
    SecondMapping(target).move_to(course.node);
  } else {
    migrate_process(target, course.node, nodes);
  }
  course.node = (course.node + 1) % nodes;
  return vmstat_sum({"pgmigrate_success"}) - before;
}

void run(PartContext& context) {
  const std::string via = context.choice("via");
  const std::uint64_t period = context.number("period");
  const std::uint64_t batch = context.number("batch");
  auto& calls = context.metric("calls");
  auto& moved = context.metric(via == "move_pages" ? "pages" : "effects");
  const unsigned cpu = context.choice("cpu") == "first"
                           ? context.worker_cpu(0)
                           : context.worker_cpu(context.topology().worker_cpus() - 1);
  if (!pin_to_cpu(cpu)) context.fail("pin to CPU %u: %s", cpu, std::strerror(errno));
  std::array<Course, kMaxTargets> courses{};
  Buffers buffers;
  context.wait_for_start();
  while (!context.stopping()) {
    unmap_targets(context, [&](std::size_t index, const Target& target) {
      const unsigned nodes = context.topology().nodes;
      moved.fetch_add(via == "move_pages" ? move_batch(target, courses[index], batch, nodes, buffers)
                                          : move_all(via, target, courses[index], nodes));
      calls.fetch_add(1);
    });
    sleep_ns(period);
  }
}

}  // namespace

extern const Part migrate{.kind = PartKind::injector,
                          .name = "migrate",
                          .summary = "moves the detectors' pages from node to node",
                          .params = kParams,
                          .min_nodes = 2,
                          .run = run};

}  // namespace luf::guest
