#include "lib/kernel_poke.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "agent/kernel_files.h"
#include "lib/unmappers.h"

namespace luf::guest {

void poke_kernel(PartContext& context, const char* file, std::uint64_t (*look)(),
                 std::uint64_t (*effect)(std::uint64_t before, std::uint64_t after)) {
  const std::uint64_t period = context.number("period");
  auto& passes = context.metric("passes");
  auto& effects = context.metric("effects");
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    const std::uint64_t before = look();
    {
      const Unmapping unmapping(context.area(), context.index());
      const std::string problem = write_text(file, "1");
      if (!problem.empty()) context.fail("%s", problem.c_str());
    }
    effects.fetch_add(effect(before, look()));
    passes.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace luf::guest
