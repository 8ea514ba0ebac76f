#include "report/compare.h"

#include <gtest/gtest.h>

#include "report/campaign.h"
#include "report/stats.h"

namespace luf::report {
namespace {

using judge::Outcome;

history::Case case_of(std::int64_t seed, std::int64_t ipis, Outcome outcome = Outcome::kPass) {
  history::Run run;
  run.key = std::to_string(seed);
  run.scenario = "smoke/x";
  run.kernel = "k";
  run.points = "strict";
  run.cpus = 4;
  run.seed = seed;
  run.outcome = outcome;
  run.reason = "because";
  run.repro = "lufbed run x";
  run.counters = {{"ipi_tlb", ipis}, {"pgsteal_file", 900}, {"pgmigrate_success", 100}};
  return {{run}};
}

Side side_of(const std::string& name, std::int64_t from, std::int64_t bad, std::int64_t n = 8) {
  Side side{name, {}};
  for (std::int64_t i = 0; i < n; ++i)
    side.cases.push_back(case_of(i, from + i, i < bad ? Outcome::kFail : Outcome::kPass));
  return side;
}

// Values computed by hand or known from tables.
TEST(Fisher, is_exact) {
  EXPECT_NEAR(fisher(3, 4, 1, 4), 0.4857, 1e-4);  // the lady tasting tea
  EXPECT_NEAR(fisher(0, 10, 10, 10), 1.0825e-5, 1e-8);
  EXPECT_EQ(fisher(0, 5, 0, 5), 1);
  EXPECT_EQ(fisher(0, 0, 3, 5), 1);
}

TEST(RankSum, is_exact_for_few_and_close_for_many) {
  EXPECT_NEAR(rank_sum({1, 2, 3}, {4, 5, 6}), 0.1, 1e-9);
  EXPECT_NEAR(rank_sum({1, 2, 3, 4}, {5, 6, 7, 8}), 2.0 / 70, 1e-9);
  EXPECT_EQ(rank_sum({1, 1, 1}, {1, 1, 1}), 1);
  EXPECT_EQ(rank_sum({}, {1}), 1);
  std::vector<double> a, b;
  for (int i = 0; i < 40; ++i) {
    a.push_back(i);
    b.push_back(i + 0.5);
  }
  EXPECT_GT(rank_sum(a, b), 0.5);
  for (double& value : b) value += 100;
  EXPECT_LT(rank_sum(a, b), 1e-10);
}

TEST(Holm, corrects_for_the_number_of_rows) {
  const std::vector<double> corrected = holm({0.01, 0.04, 0.03});
  EXPECT_NEAR(corrected[0], 0.03, 1e-9);
  EXPECT_NEAR(corrected[1], 0.06, 1e-9);
  EXPECT_NEAR(corrected[2], 0.06, 1e-9);
}

TEST(Compare, shows_a_loser_first_and_in_the_same_words) {
  const Comparison worse = compare(side_of("a", 100, 0), side_of("b", 200, 0));
  ASSERT_EQ(worse.counts.size(), 1U);
  EXPECT_EQ(worse.counts.front().verdict(), "more");
  const Comparison better = compare(side_of("a", 200, 0), side_of("b", 100, 0));
  EXPECT_EQ(better.counts.front().verdict(), "fewer");
  EXPECT_NEAR(better.counts.front().change(), 100 * (103.5 / 203.5 - 1), 1e-9);
  const Comparison few = compare(side_of("a", 200, 0, 2), side_of("b", 100, 0, 2));
  EXPECT_EQ(few.counts.front().verdict(), "no difference shown");
}

TEST(Compare, tells_a_regression_only_when_it_is_no_chance) {
  EXPECT_TRUE(is_regression(compare(side_of("a", 1, 0), side_of("b", 1, 6))));
  EXPECT_FALSE(is_regression(compare(side_of("a", 1, 0), side_of("b", 1, 1))));
  EXPECT_FALSE(is_regression(compare(side_of("a", 1, 6), side_of("b", 1, 0))));
}

CampaignReport flaky_report() {
  history::Case one = case_of(1, 10, Outcome::kFail);
  for (const Outcome outcome : {Outcome::kPass, Outcome::kFail}) {
    history::Run again = one.first();
    again.attempt = static_cast<std::int64_t>(one.attempts.size()) + 1;
    again.outcome = outcome;
    one.attempts.push_back(again);
  }
  history::Case skipped = case_of(2, 10, Outcome::kSkip);
  CampaignReport report;
  report.campaign.name = "night";
  report.cases = {one, skipped, case_of(3, 10)};
  return report;
}

TEST(CampaignReport, keeps_a_failure_that_passed_when_repeated) {
  const CampaignReport report = flaky_report();
  const std::vector<Summary> summaries = summaries_of(report);
  EXPECT_EQ(exit_code(summaries), 1);
  EXPECT_EQ(summaries[0].verdict.reason, "because (2 of 3 runs were not green)");
  EXPECT_EQ(flakes_of(report.cases).repeated, 1U);
  EXPECT_EQ(flakes_of(report.cases).flaky, 1U);
}

TEST(Ktap, tells_every_case_once) {
  EXPECT_EQ(to_ktap(flaky_report()),
            "KTAP version 1\n1..3\n"
            "# attempt 1: fail: because\n# attempt 2: pass: because\n# attempt 3: fail: because\n"
            "# again: lufbed run x\n"
            "not ok 1 smoke/x · k · strict · 4 CPUs · seed 1\n"
            "# attempt 1: skip: because\nok 2 smoke/x · k · strict · 4 CPUs · seed 2 # SKIP because\n"
            "# attempt 1: pass: because\nok 3 smoke/x · k · strict · 4 CPUs · seed 3\n");
}

}  // namespace
}  // namespace luf::report
