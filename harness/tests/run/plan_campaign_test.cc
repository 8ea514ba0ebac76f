#include "run/plan_campaign.h"

#include <gtest/gtest.h>

#include <set>

#include "scenario/parse.h"
#include "support/catalog.h"

namespace luf::run {
namespace {

using luf::testing::test_catalog;

constexpr const char* kScenario =
    "title = \"t\"\n[[phase]]\nname = \"main\"\nduration = \"1s\"\nat_least = { loads = 1, luf_deferred = 5 "
    "}\n"
    "[[detector]]\nname = \"foreign_content\"\n";

Job job_named(const std::string& name) {
  return {name + ".toml", name, *scenario::parse(kScenario, "f", test_catalog())};
}

FoundKernel kernel_named(const std::string& name, const std::string& luf = "as-is") {
  FoundKernel kernel;
  kernel.wanted.name = name;
  kernel.wanted.luf = luf;
  kernel.wanted.append = "quiet";
  kernel.kernel.release = "6.12";
  kernel.kernel.hash = "h-" + name;
  return kernel;
}

scenario::CampaignFile file_with(std::int64_t seeds) {
  scenario::CampaignFile file;
  file.seeds = seeds;
  file.first_seed = 5;
  return file;
}

std::vector<Planned> plan_with(const scenario::CampaignFile& file) {
  return *plan_of(file, {job_named("a"), job_named("b")}, {kernel_named("off", "off"), kernel_named("on")},
                  test_catalog());
}

history::Run done_run(const Planned& planned, std::int64_t attempt, judge::Outcome outcome) {
  history::Run run;
  run.key = planned.key;
  run.attempt = attempt;
  run.outcome = outcome;
  return run;
}

std::vector<std::size_t> order(Schedule schedule) {
  std::vector<std::size_t> indices;
  while (const auto turn = schedule.next()) indices.push_back(turn->planned);
  return indices;
}

TEST(Plan, is_the_product_seed_by_seed) {
  scenario::CampaignFile file = file_with(2);
  file.points = {"strict", "v12"};
  file.cpus = {2, 4};
  const std::vector<Planned> plan = plan_with(file);
  ASSERT_EQ(plan.size(), 2U * 2 * 2 * 2 * 2);
  EXPECT_EQ(plan.front().job.scenario.seed, 5);
  EXPECT_EQ(plan.back().job.scenario.seed, 6);
  EXPECT_EQ(plan.back().job.scenario.kernel.points, "v12");
  EXPECT_EQ(plan.back().job.scenario.machine.cpus, 4);
  std::set<std::string> keys;
  for (const Planned& planned : plan) keys.insert(planned.key);
  EXPECT_EQ(keys.size(), plan.size());
}

TEST(Plan, a_kernel_with_luf_off_is_asked_for_no_deferrals) {
  const std::vector<Planned> plan = plan_with(file_with(1));
  EXPECT_EQ(plan[0].job.scenario.kernel.luf, "off");
  EXPECT_EQ(plan[0].job.scenario.kernel.cmdline, "quiet");
  EXPECT_FALSE(plan[0].job.scenario.phases[0].at_least.contains("luf_deferred"));
  EXPECT_TRUE(plan[1].job.scenario.phases[0].at_least.contains("luf_deferred"));
}

TEST(Plan, refuses_a_machine_too_small_and_a_scenario_twice) {
  Job wide = job_named("w");
  wide.scenario.machine.nodes = 4;
  scenario::CampaignFile file = file_with(1);
  file.cpus = {2};
  EXPECT_FALSE(plan_of(file, {wide}, {kernel_named("k")}, test_catalog()));
  EXPECT_FALSE(plan_of(file_with(1), {wide, wide}, {kernel_named("k")}, test_catalog()));
}

TEST(Plan, a_new_kernel_changes_the_content_but_not_the_key) {
  FoundKernel newer = kernel_named("on");
  newer.kernel.hash = "other";
  const auto one = plan_of(file_with(1), {job_named("a")}, {kernel_named("on")}, test_catalog());
  const auto two = plan_of(file_with(1), {job_named("a")}, {newer}, test_catalog());
  EXPECT_EQ(one->front().key, two->front().key);
  EXPECT_NE(one->front().content, two->front().content);
  EXPECT_NE(plan_hash(*one), plan_hash(*two));
}

TEST(Shards, share_the_plan_out_and_stay_when_it_grows) {
  const std::vector<Planned> small = plan_with(file_with(8));
  const std::vector<Planned> large = plan_with(file_with(16));
  std::size_t all = 0;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const std::vector<Planned> part = cases_of_shard(small, {i, 3});
    all += part.size();
    std::set<std::string> later;
    for (const Planned& planned : cases_of_shard(large, {i, 3})) later.insert(planned.key);
    for (const Planned& planned : part) EXPECT_TRUE(later.contains(planned.key));
  }
  EXPECT_EQ(all, small.size());
  EXPECT_TRUE(parse_shard("2/4"));
  for (const char* bad : {"", "2", "0/4", "5/4", "2/4x", "/", "a/b"}) EXPECT_FALSE(parse_shard(bad)) << bad;
}

TEST(Schedule, begins_with_what_failed_then_what_is_new) {
  const std::vector<Planned> plan = plan_with(file_with(1));
  std::map<std::string, history::Last> last;
  last[plan[0].key] = {plan[0].content, false};
  last[plan[1].key] = {"other", false};  // its content is new
  last[plan[3].key] = {plan[3].content, true};
  EXPECT_EQ(order(Schedule(plan, last, {}, 2)), (std::vector<std::size_t>{3, 1, 2, 0}));
}

TEST(Schedule, repeats_at_once_what_was_not_green) {
  const std::vector<Planned> plan = plan_with(file_with(1));
  Schedule schedule(plan, {}, {}, 2);
  const auto first = schedule.next();
  schedule.ended(*first, true);
  for (const std::int64_t attempt : {2, 3}) {
    const auto again = schedule.next();
    EXPECT_EQ(again->planned, first->planned);
    EXPECT_EQ(again->attempt, attempt);
    schedule.ended(*again, true);
  }
  EXPECT_NE(schedule.next()->planned, first->planned);
}

TEST(Schedule, goes_on_where_a_killed_session_was) {
  const std::vector<Planned> plan = plan_with(file_with(1));
  const std::vector<history::Run> done{done_run(plan[0], 1, judge::Outcome::kPass),
                                       done_run(plan[1], 1, judge::Outcome::kFail),
                                       done_run(plan[1], 2, judge::Outcome::kPass)};
  Schedule schedule(plan, {}, done, 3);
  EXPECT_EQ(schedule.left(), 4U);  // attempts 3 and 4 of one case, two others
  const auto turn = schedule.next();
  EXPECT_EQ(turn->planned, 1U);
  EXPECT_EQ(turn->attempt, 3);
}

}  // namespace
}  // namespace luf::run
