// Injector: lets some of the kernel's allocations fail while the phase runs: of pages, or of small objects. Only those
// that may not wait, for which every caller must have another way out; who may wait is left alone. Effect: allocations
// that failed by it, which the kernel counts down from the number allowed. Runs on CPU 0.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "lib/kernel_setting.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

constexpr std::uint64_t kAllowed = 1'000'000;
constexpr std::uint64_t kTick = 50'000'000;
constexpr const char* kPages = "/sys/kernel/debug/fail_page_alloc";
constexpr const char* kSlab = "/sys/kernel/debug/failslab";
constexpr std::array<std::string_view, 2> kVia{"pages", "slab"};
constexpr std::array<Param, 2> kParams{{
    via_param(kVia, "which allocator fails"),
    {.name = "percent",
     .type = ParamType::count,
     .default_number = 20,
     .min = 1,
     .max = 100,
     .summary = "of its allocations that may not wait"},
}};

void run(PartContext& context) {
  const bool pages = context.choice("via") == "pages";
  const std::string directory = std::string(pages ? kPages : kSlab) + "/";
  const std::string percent = std::to_string(context.number("percent"));
  auto& effects = context.metric("effects");
  const KernelSetting silent(context, directory + "verbose", "0");
  const KernelSetting times(context, directory + "times", std::to_string(kAllowed));
  if (pages) write_text(directory + "min-order", "0");
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  {
    const KernelSetting on(context, directory + "probability", percent);
    while (!context.stopping()) sleep_ns(kTick);
  }
  const std::uint64_t left = std::strtoull(read_text(directory + "times").c_str(), nullptr, 10);
  effects.fetch_add(kAllowed - std::min(left, kAllowed));
}

}  // namespace

extern const Part fail_alloc{.kind = PartKind::injector,
                             .name = "fail_alloc",
                             .summary = "lets allocations of the kernel that may not wait fail",
                             .params = kParams,
                             .needs_file = kPages,
                             .run = run};

}  // namespace luf::guest
