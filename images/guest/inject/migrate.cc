// Injector: moves the registered targets' pages from node to node with move_pages(2), a batch at a time. The
// kernel unmaps, copies and maps them elsewhere; the old frames are free at once. Runs outside the parts' cgroup.
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "lib/page_pattern.h"
#include "lib/params.h"
#include "lib/part_context.h"
#include "lib/unmappers.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kCpus{"last", "first"};
constexpr std::array<Param, 3> kParams{{
    duration_param("period", 5'000'000, 10'000, "pause between two batches"),
    {.name = "batch",
     .type = ParamType::count,
     .default_number = 16,
     .min = 1,
     .max = 512,
     .summary = "pages moved by one call"},
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

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  const std::uint64_t batch = context.number("batch");
  auto& calls = context.metric("calls");
  auto& moved = context.metric("pages");
  const unsigned cpu = context.choice("cpu") == "first"
                           ? context.worker_cpu(0)
                           : context.worker_cpu(context.topology().worker_cpus() - 1);
  if (!pin_to_cpu(cpu)) context.fail("pin to CPU %u: %s", cpu, std::strerror(errno));
  std::array<Course, kMaxTargets> courses{};
  Buffers buffers;
  context.wait_for_start();
  while (!context.stopping()) {
    unmap_targets(context, [&](std::size_t index, const Target& target) {
      moved.fetch_add(move_batch(target, courses[index], batch, context.topology().nodes, buffers));
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
