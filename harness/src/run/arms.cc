#include "run/arms.h"

namespace luf::run {
namespace {

Job job_of(const Job& of_case, const Arm& arm, std::int64_t seed) {
  Job job = of_case;
  job.file.clear();
  job.name = fmt::format("{}/{}", of_case.name, arm.name);
  job.kernel = arm.kernel;
  job.scenario.seed = seed;
  scenario::Kernel& kernel = job.scenario.kernel;
  kernel.luf = arm.luf;
  kernel.points = arm.points;
  kernel.batching = arm.batching;
  if (arm.age) kernel.age = arm.age;
  if (arm.pending_max) kernel.pending_max = arm.pending_max;
  return job;
}

}  // namespace

std::vector<Job> jobs_of(const Experiment& experiment) {
  std::vector<Job> jobs;
  for (std::int64_t round = 0; round < experiment.boots; ++round) {
    for (const Job& of_case : experiment.cases) {
      for (std::size_t turn = 0; turn < experiment.arms.size(); ++turn) {
        const std::size_t arm = (turn + static_cast<std::size_t>(round)) % experiment.arms.size();
        jobs.push_back(job_of(of_case, experiment.arms[arm], experiment.first_seed + round));
      }
    }
  }
  return jobs;
}

std::vector<report::Summary> boots_of(const Experiment& experiment,
                                      const std::vector<report::Summary>& summaries, std::size_t of_case,
                                      std::size_t of_arm) {
  const std::size_t arms = experiment.arms.size();
  std::vector<report::Summary> result;
  for (std::size_t round = 0; round < static_cast<std::size_t>(experiment.boots); ++round) {
    const std::size_t turn = (of_arm + arms - round % arms) % arms;
    result.push_back(summaries.at((round * experiment.cases.size() + of_case) * arms + turn));
  }
  return result;
}

}  // namespace luf::run
