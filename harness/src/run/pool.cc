#include "run/pool.h"

#include "async/task_group.h"
#include "run/accel.h"
#include "run/run_scenario.h"

namespace luf::run {
namespace {

Task<void> run_worker(const Environment& environment, const Ready& ready, const Work& work) {
  while (!environment.interrupt.asked()) {
    const std::optional<Job> job = work.next();
    if (!job) co_return;
    const report::Summary summary =
        co_await run_scenario(environment, ready.settings, *job, deterministic_choice(), ready.qemu_version);
    work.done(*job, summary);
  }
}

}  // namespace

Task<void> run_pool(const Environment& environment, const Ready& ready, std::size_t workers,
                    const Work& work) {
  report::Progress silent(false);  // one line cannot follow several guests
  const Environment own{environment.executor, environment.clock, environment.interrupt, silent};
  TaskGroup group(environment.executor, environment.clock);
  for (std::size_t i = 0; i < workers; ++i) group.start(run_worker(own, ready, work));
  co_await group.join();
}

}  // namespace luf::run
