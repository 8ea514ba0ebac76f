// Injector: has small pages of its own collapsed into huge ones, by khugepaged or by MADV_COLLAPSE, and has those split
// again. Both unmap, flush and free, and make the allocator look for big blocks. Effect: huge pages that were split,
// by the kernel's counter. Runs on CPU 0, outside the parts' cgroup.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>

#include "lib/kernel_setting.h"
#include "lib/page_pattern.h"
#include "lib/params.h"
#include "lib/unmappers.h"
#include "lib/vmstat.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace luf::guest {

namespace {

constexpr const char* kSplit = "/sys/kernel/debug/split_huge_pages";
const std::string kDirectory = "/sys/kernel/mm/transparent_hugepage/";
constexpr std::uint64_t kHuge = 2U << 20U;
constexpr std::uint64_t kTick = 20'000'000;  // khugepaged gets what others leave of the CPU
constexpr std::array<std::string_view, 2> kVia{"khugepaged", "madvise"};
constexpr std::array<Param, 3> kParams{{
    via_param(kVia, "who collapses: the kernel's thread, or the program by MADV_COLLAPSE"),
    duration_param("period", 20'000'000, 10'000, "pause between two rounds"),
    duration_param("length", 2'000'000'000, 10'000, "for which the thread is waited for"),
}};

/// The only huge page that this process may have is the collapsed one.
bool collapsed() { return sum_of_lines("/proc/self/smaps_rollup", {"AnonHugePages:"}) > 0; }
std::uint64_t splits() { return vmstat_sum({"thp_split_page"}); }

/// A huge page's worth of address space where one fits.
char* map_place(PartContext& context) {
  void* at = mmap(nullptr, 2 * kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  return static_cast<char*>(at) + (kHuge - address % kHuge) % kHuge;
}

void fill_with_small_pages(char* at) {
  madvise(at, kHuge, MADV_DONTNEED);
  madvise(at, kHuge, MADV_NOHUGEPAGE);
  for (std::uint64_t offset = 0; offset < kHuge; offset += kPageSize) at[offset] = 1;
  madvise(at, kHuge, MADV_HUGEPAGE);
}

void split(PartContext& context, char* at) {
  char range[80];
  std::snprintf(range, sizeof(range), "%d,%p,%p", getpid(), static_cast<void*>(at),
                static_cast<void*>(at + kHuge));
  const Unmapping unmapping(context.area(), context.index());
  const std::string problem = write_text(kSplit, range);
  if (!problem.empty()) context.fail("%s", problem.c_str());
}

void run(PartContext& context) {
  const bool by_thread = context.choice("via") == "khugepaged";
  const std::uint64_t period = context.number("period");
  const std::uint64_t ticks = context.number("length") / kTick;
  auto& effects = context.metric("effects");
  auto& rounds = context.metric("rounds");
  // On machines with less than 512 MiB the kernel has it off.
  std::optional<KernelSetting> on;
  std::optional<KernelSetting> awake;
  if (by_thread) {
    on.emplace(context, kDirectory + "enabled", "madvise");
    awake.emplace(context, kDirectory + "khugepaged/scan_sleep_millisecs", "5");
  }
  char* at = map_place(context);
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    fill_with_small_pages(at);
    if (!by_thread) madvise(at, kHuge, MADV_COLLAPSE);
    for (std::uint64_t tick = 0; tick < ticks && !collapsed() && !context.stopping(); ++tick) sleep_ns(kTick);
    if (collapsed()) {
      const std::uint64_t before = splits();
      split(context, at);
      effects.fetch_add(splits() - before);
    }
    rounds.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace

extern const Part thp{.kind = PartKind::injector,
                      .name = "thp",
                      .summary = "has small pages collapsed into huge ones and these split again",
                      .params = kParams,
                      .needs_file = kSplit,
                      .run = run};

}  // namespace luf::guest
