#include "run/campaign.h"

#include <algorithm>

#include "async/task_group.h"
#include "run/accel.h"
#include "run/ready.h"
#include "run/run_scenario.h"

namespace luf::run {
namespace {

Nanoseconds duration_of(const Job& job) {
  Nanoseconds sum{};
  for (const scenario::Phase& phase : job.scenario.phases) sum += phase.duration;
  return sum;
}

std::string wanted_accel(const Settings& settings, const Job& job) {
  if (job.scenario.machine.icount) return "tcg";  // what else was asked for was refused
  return settings.accel.value_or(job.scenario.machine.accel);
}

/// Probes only when a scenario leaves the choice open.
Task<Result<AccelChoice>> automatic_choice(const Environment& environment, const Settings& settings,
                                           const std::vector<Job>& jobs, std::string version) {
  const bool open = std::any_of(jobs.begin(), jobs.end(), [&settings](const Job& job) {
    return wanted_accel(settings, job) == "auto";
  });
  if (!open) co_return AccelChoice{};
  Result<AccelChoice> choice = co_await probe_kvm(environment, settings, std::move(version), false);
  if (choice && choice->accel == machine::Accel::kTcg) environment.progress.say("using TCG: " + choice->why);
  co_return choice;
}

AccelChoice choice_for(const std::string& wanted, const AccelChoice& automatic) {
  if (wanted == "kvm") return {machine::Accel::kKvm, "asked for"};
  if (wanted == "tcg") return {machine::Accel::kTcg, "asked for"};
  return automatic;
}

/// What the workers share: the jobs, and what came of those begun.
struct Queue {
  const std::vector<Job>& jobs;
  AccelChoice automatic;
  std::string qemu_version;
  std::size_t next = 0;
  Nanoseconds ahead{};  ///< guest time of the jobs that have not begun
  std::vector<std::optional<report::Summary>> done = {};
};

/// Runs job after job until none is left or the user asks to stop.
Task<void> work_off(const Environment& environment, const Settings& settings, Queue& queue) {
  while (queue.next < queue.jobs.size() && !environment.interrupt.asked()) {
    const std::size_t index = queue.next++;
    const Job& job = queue.jobs[index];
    queue.ahead -= duration_of(job);
    environment.progress.begin_guest(index + 1, queue.jobs.size(), job.name, duration_of(job), queue.ahead);
    const AccelChoice accel = choice_for(wanted_accel(settings, job), queue.automatic);
    Settings own = settings;
    if (job.kernel) own.kernel = *job.kernel;
    report::Summary summary = co_await run_scenario(environment, own, job, accel, queue.qemu_version);
    queue.done[index] = std::move(summary);
  }
}

}  // namespace

Task<Result<Outcome>> run_all(const Environment& environment, const Settings& given,
                              const std::vector<Job>& jobs) {
  Outcome outcome;
  const Result<Ready> ready = co_await make_ready(environment, given);
  if (!ready) co_return pass_on(ready);
  const Settings& settings = ready->settings;
  const Result<AccelChoice> automatic =
      co_await automatic_choice(environment, settings, jobs, ready->qemu_version);
  if (!automatic && automatic.error().blame != Blame::kCancelled) co_return pass_on(automatic);
  Queue queue{jobs, automatic.value_or(AccelChoice{}), ready->qemu_version};
  for (const Job& job : jobs) queue.ahead += duration_of(job);
  queue.done.resize(jobs.size());
  TaskGroup workers(environment.executor, environment.clock);
  for (std::size_t i = 0; i < std::max<std::size_t>(settings.guests, 1); ++i)
    workers.start(work_off(environment, settings, queue));
  co_await workers.join();
  for (std::optional<report::Summary>& summary : queue.done) {
    if (summary) outcome.summaries.push_back(std::move(*summary));
  }
  environment.progress.clear();
  outcome.interrupted = environment.interrupt.asked();
  co_return outcome;
}

}  // namespace luf::run
