#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/progress.h"
#include "report/summary.h"

namespace luf::report {
namespace {

using judge::Outcome;

Summary summary(const std::string& name, Outcome outcome, const std::string& reason = "because") {
  Summary result;
  result.scenario = name;
  result.kernel = "6.12-abc";
  result.accel = "tcg";
  result.verdict.outcome = outcome;
  result.verdict.reason = reason;
  result.loads = 1234567;
  result.flushes = {{"age", 3}, {"unmap", 0}};
  return result;
}

guest::Event event(nlohmann::json body) {
  guest::Event result;
  result.name = body.at("ev");
  result.body = std::move(body);
  return result;
}

TEST(ExitCode, is_the_worst_of_all) {
  const auto code = [](std::initializer_list<Outcome> outcomes) {
    std::vector<Summary> summaries;
    for (const Outcome outcome : outcomes) summaries.push_back(summary("x", outcome));
    return exit_code(summaries);
  };
  EXPECT_EQ(code({Outcome::kPass, Outcome::kKnownFailure, Outcome::kSkip}), 0);
  EXPECT_EQ(code({Outcome::kPass, Outcome::kFail, Outcome::kInfra}), 1);
  EXPECT_EQ(code({Outcome::kUnexpectedPass}), 1);
  EXPECT_EQ(code({Outcome::kPass, Outcome::kInfra}), 3);
  EXPECT_EQ(code({Outcome::kPass, Outcome::kVacuous}), 3);
  EXPECT_EQ(code({Outcome::kSkip, Outcome::kSkip}), 77);
  EXPECT_EQ(code({}), 3);
}

TEST(Summary, adds_the_phases_up) {
  const nlohmann::json counters{{"luf_deferred", 10}, {"luf_flush_age", 2}, {"pgfault", 5}};
  const std::vector<guest::Event> events{
      event({{"ev", "phase_end"}, {"phase", "a"}, {"loads", 100}, {"findings", 0}, {"counters", counters}}),
      event({{"ev", "phase_end"}, {"phase", "b"}, {"loads", 50}, {"findings", 2}, {"counters", counters}})};
  Summary result;
  add_numbers(events, result);
  EXPECT_EQ(result.loads, 150U);
  EXPECT_EQ(result.findings, 2U);
  EXPECT_EQ(result.deferrals, 20U);
  EXPECT_EQ(result.flushes.at("age"), 4U);
}

TEST(Table, tells_verdict_numbers_and_totals) {
  const std::string text = to_table({summary("a/b", Outcome::kPass), summary("c", Outcome::kFail)});
  EXPECT_NE(text.find("a/b"), std::string::npos);
  EXPECT_NE(text.find("1 234 567"), std::string::npos);
  EXPECT_NE(text.find("age 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("2 guests: 1 fail, 1 pass\n"), std::string::npos);
}

TEST(Junit, escapes_and_sorts_the_outcomes) {
  const std::string text =
      to_junit({summary("a", Outcome::kFail, "x < \"y\" & z"), summary("b", Outcome::kInfra),
                summary("c", Outcome::kSkip), summary("d", Outcome::kPass)});
  EXPECT_NE(text.find("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""), std::string::npos);
  EXPECT_NE(text.find("<failure type=\"fail\" message=\"x &lt; &quot;y&quot; &amp; z\"/>"),
            std::string::npos);
  EXPECT_NE(text.find("<skipped message=\"because\"/>"), std::string::npos);
}

TEST(Json, carries_the_exit_code_and_survives_bad_bytes) {
  const auto json = nlohmann::json::parse(to_json({summary("a", Outcome::kFail, "\xff\xfe")}));
  EXPECT_EQ(json["exit_code"], 1);
  EXPECT_EQ(json["runs"][0]["flushes"]["age"], 3);
}

TEST(Progress, shows_where_the_run_stands) {
  Progress progress(false);
  progress.begin_guest(2, 7, "a/b", std::chrono::seconds(10), std::chrono::seconds(20));
  progress.take(event({{"ev", "phase_start"}, {"phase", "main"}}));
  progress.take(
      event({{"ev", "progress"}, {"phase", "main"}, {"elapsed_ms", 4000}, {"loads", 5000}, {"findings", 1}}));
  EXPECT_EQ(progress.line(), "[2/7] a/b · main · loads 5 000 · findings 1 · 26 s left");
}

}  // namespace
}  // namespace luf::report
