#include "judge/oracle.h"

#include <gtest/gtest.h>

#include "judge/judge.h"
#include "protocol/event.h"
#include "scenario/parse.h"
#include "support/catalog.h"

namespace luf::judge {
namespace {

using nlohmann::json;

/// A guest with a silent phase and one that expects R8; both detectors' findings are `findings`.
Observation seen_with(const OracleReport& oracle, bool fault_found) {
  Observation seen;
  seen.end = RunEnd::kDone;
  std::uint64_t number = 0;
  const auto say = [&](json body) {
    body["seq"] = number++;
    guest::Event event;
    event.name = body.at("ev").get<std::string>();
    event.body = std::move(body);
    seen.events.push_back(std::move(event));
  };
  say({{"ev", "boot"}});
  for (const char* phase : {"control", "fault"}) {
    const bool found = fault_found && phase == std::string("fault");
    say({{"ev", "phase_start"}, {"phase", phase}});
    if (found)
      say({{"ev", "finding"},
           {"phase", phase},
           {"part", "foreign_content"},
           {"rule", "R8"},
           {"detail", "Seen."}});
    say({{"ev", "part_end"}, {"phase", phase}, {"part", "foreign_content"}, {"metrics", {{"loads", 10}}}});
    say({{"ev", "phase_end"},
         {"phase", phase},
         {"loads", 10},
         {"findings", found ? 1 : 0},
         {"elapsed_ms", 5}});
  }
  say({{"ev", "done"}});
  seen.oracle = oracle;
  return seen;
}

Verdict verdict_on(const OracleReport& oracle, bool fault_found = true) {
  const std::string text =
      "title = \"t\"\n[[phase]]\nname = \"control\"\nduration = \"1s\"\n[[phase]]\nname = "
      "\"fault\"\nduration = \"1s\"\n"
      "expect = \"R8\"\n[[detector]]\nname = \"foreign_content\"\n";
  const auto scenario = scenario::parse(text, "x.toml", luf::testing::test_catalog());
  return judge(*scenario, {{"R8", {"foreign_content"}}}, seen_with(oracle, fault_found));
}

OracleReport report_with(std::vector<OracleFinding> findings) {
  OracleReport report;
  report.complete = true;
  report.level = "violations";
  report.findings = std::move(findings);
  return report;
}

TEST(JudgeOracle, silence_changes_nothing) { EXPECT_EQ(verdict_on(report_with({})).outcome, Outcome::kPass); }

TEST(JudgeOracle, a_violation_in_a_silent_phase_fails_it) {
  const Verdict verdict = verdict_on(report_with({{0, "R1", "A load.", 12}}));
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_NE(verdict.reason.find("R1 violated: A load. (oracle, 12 findings in all)"), std::string::npos)
      << verdict.reason;
}

TEST(JudgeOracle, the_expected_violation_is_what_a_fault_is_for) {
  EXPECT_EQ(verdict_on(report_with({{1, "R8", "A load.", 12}})).outcome, Outcome::kPass);
  EXPECT_EQ(verdict_on(report_with({{1, "R8", "A load.", 12}}), false).outcome,
            Outcome::kPass);  // it alone saw it
  EXPECT_EQ(verdict_on(report_with({{1, "R3", "A load.", 12}})).outcome,
            Outcome::kPass);  // beside the expected one
  EXPECT_EQ(verdict_on(report_with({}), false).outcome, Outcome::kFail);
}

TEST(JudgeOracle, a_violation_outside_of_the_phases_fails_the_run) {
  EXPECT_EQ(verdict_on(report_with({{-1, "R8", "A load.", 1}})).outcome, Outcome::kFail);
}

TEST(JudgeOracle, an_incomplete_report_is_no_silence) {
  OracleReport report = report_with({});
  report.complete = false;
  EXPECT_EQ(verdict_on(report).outcome, Outcome::kInfra);
}

TEST(JudgeOracle, counts_are_told_in_one_line) {
  OracleReport report = report_with({});
  report.window = 12;
  report.checked = 1234;
  EXPECT_EQ(to_line(report),
            "oracle (violations): window 12, deferred 0, violation 0, unknown 0 of 1 234 accesses checked");
}

}  // namespace
}  // namespace luf::judge
