#include "history/history.h"

#include <gtest/gtest.h>

#include "support/temp_directory.h"

namespace luf::history {
namespace {

using judge::Outcome;
using luf::testing::TempDirectory;

Run run_of(const std::string& key, std::int64_t attempt, Outcome outcome) {
  Run run;
  run.key = key;
  run.attempt = attempt;
  run.scenario = "smoke/" + key;
  run.content = "c1";
  run.kernel = "luf";
  run.build = "6.12-abc";
  run.points = "strict";
  run.cpus = 4;
  run.seed = 7;
  run.outcome = outcome;
  run.reason = "it's \"so\"";
  run.loads = 1000;
  run.counters = {{"luf_deferred", 5}, {"luf_flush_age", 2}};
  run.gauges = {{"luf_pending_max", 9}};
  if (outcome == Outcome::kFail) run.findings = {{"R3", "write_under", "old byte", "f1", "main", true, 12}};
  return run;
}

Campaign begun(History& history, const std::string& id, const std::string& shard = "") {
  Campaign campaign;
  campaign.id = id;
  campaign.name = "night";
  campaign.plan = "p";
  campaign.shard = shard;
  campaign.planned = 2;
  EXPECT_TRUE(history.begin(campaign));
  return campaign;
}

TEST(History, gives_back_what_was_put_in_after_a_reopen) {
  const TempDirectory directory;
  {
    Result<History> history = History::open(directory / "h", true);
    ASSERT_TRUE(history) << history.error().message;
    Campaign campaign = begun(*history, "a");
    campaign.spent = 3.5;
    ASSERT_TRUE(history->add(campaign, run_of("x", 1, Outcome::kFail)));
    campaign.state = State::kOutOfTime;
    ASSERT_TRUE(history->set_state(campaign));
  }
  Result<History> history = History::open(directory / "h", false);
  ASSERT_TRUE(history) << history.error().message;
  const auto campaigns = history->campaigns();
  ASSERT_EQ(campaigns->size(), 1U);
  EXPECT_EQ(campaigns->front().state, State::kOutOfTime);
  EXPECT_EQ(campaigns->front().spent, 3.5);
  const auto runs = history->runs(1);
  ASSERT_EQ(runs->size(), 1U);
  const auto& run = runs->front();
  EXPECT_EQ(run.outcome, Outcome::kFail);
  EXPECT_EQ(run.reason, "it's \"so\"");
  EXPECT_EQ(run.counters.at("luf_flush_age"), 2);
  EXPECT_EQ(run.gauges.at("luf_pending_max"), 9);
  ASSERT_EQ(run.findings.size(), 1U);
  EXPECT_TRUE(run.findings.front().violation);
  EXPECT_EQ(run.findings.front().after_ms, 12);
}

TEST(History, refuses_a_run_twice) {
  const TempDirectory directory;
  Result<History> history = History::open(directory / "h", true);
  const Campaign campaign = begun(*history, "a");
  ASSERT_TRUE(history->add(campaign, run_of("x", 1, Outcome::kPass)));
  EXPECT_FALSE(history->add(campaign, run_of("x", 1, Outcome::kFail)));
  EXPECT_EQ(history->runs(1)->size(), 1U);
  EXPECT_EQ(history->totals_of_violations()->size(), 0U);  // nothing of the refused one was kept
}

TEST(History, remembers_how_each_case_ended_the_last_time) {
  const TempDirectory directory;
  Result<History> history = History::open(directory / "h", true);
  const Campaign first = begun(*history, "a");
  ASSERT_TRUE(history->add(first, run_of("x", 1, Outcome::kFail)));
  ASSERT_TRUE(history->add(first, run_of("x", 2, Outcome::kPass)));
  ASSERT_TRUE(history->add(first, run_of("y", 1, Outcome::kFail)));
  const Campaign second = begun(*history, "b");
  ASSERT_TRUE(history->add(second, run_of("y", 1, Outcome::kPass)));
  const auto last = history->last_runs();
  EXPECT_TRUE(last->at("x").bad);  // of the first attempt: a repetition cannot better it
  EXPECT_FALSE(last->at("y").bad);
}

TEST(History, sums_up_over_campaigns_of_one_name) {
  const TempDirectory directory;
  Result<History> history = History::open(directory / "h", true);
  ASSERT_TRUE(history->add(begun(*history, "a"), run_of("x", 1, Outcome::kFail)));
  ASSERT_TRUE(history->add(begun(*history, "b"), run_of("x", 1, Outcome::kPass)));
  const auto counters = history->totals_of_counters();
  ASSERT_EQ(counters->size(), 2U);
  EXPECT_EQ(counters->front().name, "luf_deferred");
  EXPECT_EQ(counters->front().value, 10);
  EXPECT_EQ(history->total_loads()->front().value, 2000);
  EXPECT_EQ(history->totals_of_violations()->front().name, "R3");
  ASSERT_EQ(history->sightings()->size(), 1U);
  EXPECT_EQ(history->sightings()->front().builds, "6.12-abc");
}

TEST(History, makes_one_campaign_of_its_shards) {
  const TempDirectory directory;
  Result<History> one = History::open(directory / "1", true);
  ASSERT_TRUE(one->add(begun(*one, "n", "1/2"), run_of("x", 1, Outcome::kPass)));
  Result<History> two = History::open(directory / "2", true);
  ASSERT_TRUE(two->add(begun(*two, "n", "2/2"), run_of("y", 1, Outcome::kPass)));
  Result<History> all = History::open(directory / "all", true);
  EXPECT_EQ(all->merge(*one), 1);
  EXPECT_EQ(all->merge(*two), 1);
  EXPECT_EQ(all->merge(*one), 0);
  const auto campaigns = all->campaigns();
  ASSERT_EQ(campaigns->size(), 1U);
  EXPECT_EQ(campaigns->front().planned, 4);
  EXPECT_EQ(all->runs(1)->size(), 2U);
}

TEST(History, tells_what_is_not_a_history) {
  const TempDirectory directory;
  const Result<History> garbage = History::open(directory.put("g", std::string(8192, 'x')), true);
  ASSERT_FALSE(garbage);
  EXPECT_NE(garbage.error().message.find("is damaged"), std::string::npos);
  const Result<History> missing = History::open(directory / "none", false);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().blame, Blame::kScenario);
}

TEST(Hold, lets_one_in_at_a_time) {
  const TempDirectory directory;
  {
    const Result<Hold> first = Hold::take(directory / "h");
    ASSERT_TRUE(first) << first.error().message;
    const Result<Hold> second = Hold::take(directory / "h");
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("in use by another campaign (process "), std::string::npos);
  }
  EXPECT_TRUE(Hold::take(directory / "h"));
}

TEST(FindCampaign, knows_numbers_ids_and_the_last_ones) {
  const TempDirectory directory;
  Result<History> history = History::open(directory / "h", true);
  EXPECT_FALSE(find_campaign(*history, "last"));
  begun(*history, "a");
  begun(*history, "b");
  EXPECT_EQ(find_campaign(*history, "last")->id, "b");
  EXPECT_EQ(find_campaign(*history, "last-1")->id, "a");
  EXPECT_EQ(find_campaign(*history, "1")->id, "a");
  EXPECT_EQ(find_campaign(*history, "b")->number, 2);
  EXPECT_FALSE(find_campaign(*history, "last-2"));
  EXPECT_FALSE(find_campaign(*history, "last-"));
}

}  // namespace
}  // namespace luf::history
