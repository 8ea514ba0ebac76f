#include "run/campaign.h"

#include <algorithm>

#include "async/task_group.h"
#include "run/accel.h"
#include "run/module_image.h"
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
                                           bool open, std::string version) {
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

/// Runs job after job until none is left or the user asks to stop.
Task<void> work_off(const Environment& environment, const Settings& given, const Ready& ready,
                    const AccelChoice& automatic, const Work& work) {
  while (!environment.interrupt.asked()) {
    const std::optional<Job> job = work.next();
    if (!job) co_return;
    const AccelChoice accel = choice_for(wanted_accel(ready.settings, *job), automatic);
    Settings own = ready.settings;
    if (job->kernel) {
      own.kernel = *job->kernel;
      own.image = given.image;
      const Result<artifact::Image> image = co_await image_for(environment, own);
      if (image) own.image = *image;  // what fails without its modules says so itself
    }
    const report::Summary summary = co_await run_scenario(environment, own, *job, accel, ready.qemu_version);
    work.done(*job, summary);
  }
}

}  // namespace

Task<Result<void>> run_work(const Environment& environment, const Settings& given, const Work& work,
                            bool open) {
  const Result<Ready> ready = co_await make_ready(environment, given);
  if (!ready) co_return pass_on(ready);
  const Result<AccelChoice> chosen =
      co_await automatic_choice(environment, ready->settings, open, ready->qemu_version);
  if (!chosen && chosen.error().blame != Blame::kCancelled) co_return pass_on(chosen);
  const AccelChoice automatic = chosen.value_or(AccelChoice{});
  TaskGroup workers(environment.executor, environment.clock);
  for (std::size_t i = 0; i < std::max<std::size_t>(given.guests, 1); ++i)
    workers.start(work_off(environment, given, *ready, automatic, work));
  co_await workers.join();
  environment.progress.clear();
  co_return Result<void>();
}

bool leaves_accel_open(const Settings& settings, const std::vector<Job>& jobs) {
  return std::any_of(jobs.begin(), jobs.end(),
                     [&settings](const Job& job) { return wanted_accel(settings, job) == "auto"; });
}

Task<Result<Outcome>> run_all(const Environment& environment, const Settings& settings,
                              const std::vector<Job>& jobs) {
  std::vector<std::optional<report::Summary>> done(jobs.size());
  Nanoseconds ahead{};  // guest time of the jobs that have not begun
  for (const Job& job : jobs) ahead += duration_of(job);
  std::size_t next = 0;
  Work work;
  work.next = [&]() -> std::optional<Job> {
    if (next == jobs.size()) return std::nullopt;
    Job job = jobs[next];
    job.number = next++;
    ahead -= duration_of(job);
    environment.progress.begin_guest(next, jobs.size(), job.name, duration_of(job), ahead);
    return job;
  };
  work.done = [&done](const Job& job, const report::Summary& summary) { done[job.number] = summary; };
  const bool open = leaves_accel_open(settings, jobs);
  const Result<void> ran = co_await run_work(environment, settings, work, open);
  if (!ran) co_return pass_on(ran);
  Outcome outcome;
  for (std::optional<report::Summary>& summary : done) {
    if (summary) outcome.summaries.push_back(std::move(*summary));
  }
  outcome.interrupted = environment.interrupt.asked();
  co_return outcome;
}

}  // namespace luf::run
