#include "run/matrix.h"

#include <gtest/gtest.h>

#include "scenario/contract.h"

namespace luf::run {
namespace {

Job proof(const std::string& fault) {
  Job job;
  job.name = "selftest/" + fault;
  job.file = "scenarios/selftest/" + fault + ".toml";
  job.scenario.phases.resize(2);
  job.scenario.phases[0].name = "control";
  job.scenario.phases[0].duration = std::chrono::seconds(5);
  job.scenario.phases[1].name = "fault";
  job.scenario.phases[1].expect = "R1";
  job.scenario.phases[1].points_off = {fault};
  job.scenario.phases[1].at_least = {{"loads", 1}};
  return job;
}

TEST(MatrixJobs, every_scenario_runs_once_a_seed) {
  const std::vector<Job> jobs = matrix_jobs({proof("unmap"), proof("uffd")}, {.seeds = 3, .first_seed = 7});
  ASSERT_EQ(jobs.size(), 6U);
  EXPECT_EQ(jobs[0].scenario.seed, 7);
  EXPECT_EQ(jobs[1].scenario.seed, 7);
  EXPECT_EQ(jobs[5].scenario.seed, 9);
  EXPECT_EQ(jobs[5].name, "selftest/uffd");
  EXPECT_EQ(jobs[0].file, "scenarios/selftest/unmap.toml");
}

TEST(MatrixJobs, silence_is_shared_out_among_the_guests) {
  const std::vector<Job> jobs =
      matrix_jobs({proof("unmap"), proof("uffd")}, {.seeds = 2, .silent = std::chrono::minutes(1)});
  for (const Job& job : jobs) EXPECT_EQ(job.scenario.phases[0].duration, std::chrono::seconds(15));
  EXPECT_TRUE(jobs[0].file.empty());  // no file holds that
  EXPECT_EQ(
      matrix_jobs({proof("unmap")}, {.silent = std::chrono::milliseconds(1)})[0].scenario.phases[0].duration,
      std::chrono::seconds(1));
}

TEST(MatrixJobs, a_shorter_silence_need_not_do_as_much) {
  Job job = proof("unmap");
  job.scenario.phases[0].at_least = {{"loads", 100}, {"luf_deferred", 1}};
  const auto least = [&job](std::chrono::seconds silent) {
    return matrix_jobs({job}, {.silent = silent})[0].scenario.phases[0].at_least;
  };
  using Least = decltype(job.scenario.phases[0].at_least);
  EXPECT_EQ(least(std::chrono::seconds(2)), (Least{{"loads", 40}, {"luf_deferred", 1}}));
  EXPECT_EQ(least(std::chrono::seconds(10)), (Least{{"loads", 100}, {"luf_deferred", 1}}));
}

TEST(MatrixJobs, a_full_matrix_plants_the_faults_of_the_others_too) {
  const std::vector<Job> jobs = matrix_jobs({proof("unmap"), proof("uffd")}, {.full = true});
  ASSERT_EQ(jobs[0].scenario.phases.size(), 3U);
  const scenario::Phase& other = jobs[0].scenario.phases[2];
  EXPECT_EQ(scenario::fault_name(jobs[0].scenario, other), "uffd");
  EXPECT_EQ(other.expect, scenario::kAny);
  EXPECT_TRUE(other.at_least.empty());
}

TEST(MatrixJobs, without_faults_only_the_silent_phases_are_left) {
  const std::vector<Job> jobs = matrix_jobs({proof("unmap")}, {.kind = MatrixKind::kNoFaults});
  ASSERT_EQ(jobs[0].scenario.phases.size(), 1U);
  EXPECT_EQ(jobs[0].scenario.phases[0].name, "control");
  EXPECT_EQ(jobs[0].scenario.kernel.luf, proof("unmap").scenario.kernel.luf);
  EXPECT_TRUE(jobs[0].file.empty());
}

TEST(MatrixJobs, the_baseline_asks_nothing_of_the_series) {
  Job job = proof("unmap");
  job.scenario.phases[0].delays = {{"fork", std::chrono::microseconds(200)}};
  job.scenario.phases[0].at_least = {{"luf_deferred", 1}, {"loads", 1}};
  const std::vector<Job> jobs = matrix_jobs({job}, {.kind = MatrixKind::kBaseline});
  ASSERT_EQ(jobs[0].scenario.phases.size(), 1U);
  EXPECT_EQ(jobs[0].scenario.kernel.luf, "off");
  EXPECT_TRUE(jobs[0].scenario.phases[0].delays.empty());
  EXPECT_EQ(jobs[0].scenario.phases[0].at_least.size(), 1U);
}

TEST(MatrixJobs, in_an_agreement_all_get_the_same_time_and_the_witnesses_watch) {
  Job off = proof("past");
  off.scenario.kernel.luf = "off";
  const scenario::Part witness{scenario::PartKind::kDetector, "tlb_check", "tlb_check", {}};
  const std::vector<Job> jobs =
      matrix_jobs({proof("unmap"), off}, {.kind = MatrixKind::kAgreement, .witnesses = {witness}});
  const scenario::Scenario& scenario = jobs[0].scenario;
  EXPECT_EQ(scenario.phases[1].duration, std::chrono::seconds(5));
  EXPECT_EQ(scenario.phases[1].whole, true);
  EXPECT_FALSE(scenario.phases[0].whole.has_value());
  ASSERT_EQ(scenario.parts.size(), 1U);
  EXPECT_EQ(scenario.parts[0].name, "tlb_check");
  EXPECT_TRUE(jobs[1].scenario.parts.empty());  // of a kernel that does not defer it knows nothing
}

}  // namespace
}  // namespace luf::run
