// Injector: has equal pages of its own merged by the kernel (KSM) and unmerges them again: entries become read-only and
// change to another frame, frames are freed and copied. Effect: copies that the kernel made of merged pages when it had to
// unmerge them. Runs on CPU 0, outside the parts' cgroup.
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "lib/kernel_setting.h"
#include "lib/page_pattern.h"
#include "lib/params.h"
#include "lib/unmappers.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr const char* kDirectory = "/sys/kernel/mm/ksm/";
constexpr const char* kSwitch = "/sys/kernel/mm/ksm/run";
constexpr std::uint64_t kTick = 5'000'000;
/// The first remembers checksums, the second merges what still has them; one may be under way.
constexpr std::uint64_t kScans = 3;
constexpr std::array<Param, 3> kParams{{
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 128,
     .min = 2,
     .max = 4096,
     .summary = "equal pages"},
    duration_param("period", 20'000'000, 10'000, "pause between two rounds"),
    duration_param("length", 500'000'000, 10'000, "for which the kernel's thread is waited for"),
}};

std::uint64_t full_scans() {
  return std::strtoull(read_text(std::string(kDirectory) + "full_scans").c_str(), nullptr, 10);
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  const std::uint64_t period = context.number("period");
  const std::uint64_t ticks = context.number("length") / kTick;
  auto& effects = context.metric("effects");
  auto& rounds = context.metric("rounds");
  const std::string directory = kDirectory;
  const KernelSetting fast(context, directory + "pages_to_scan", std::to_string(4 * pages));
  const KernelSetting awake(context, directory + "sleep_millisecs", "5");
  const KernelSetting on(context, kSwitch, "1");
  const std::uint64_t length = pages * kPageSize;
  void* at = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  madvise(at, length, MADV_NOHUGEPAGE);
  std::memset(at, 0x5a, length);
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    if (madvise(at, length, MADV_MERGEABLE) != 0) context.fail("MADV_MERGEABLE: %s", std::strerror(errno));
    const std::uint64_t seen = full_scans();
    for (std::uint64_t tick = 0; tick < ticks && full_scans() < seen + kScans && !context.stopping(); ++tick)
      sleep_ns(kTick);
    const std::uint64_t before = vmstat_sum({"cow_ksm"});
    {
      const Unmapping unmapping(context.area(), context.index());
      if (madvise(at, length, MADV_UNMERGEABLE) != 0)
        context.fail("MADV_UNMERGEABLE: %s", std::strerror(errno));
    }
    effects.fetch_add(vmstat_sum({"cow_ksm"}) - before);
    rounds.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace

extern const Part ksm{.kind = PartKind::injector,
                      .name = "ksm",
                      .summary = "has equal pages merged and unmerged",
                      .params = kParams,
                      .needs_file = kSwitch,
                      .run = run};

}  // namespace luf::guest
