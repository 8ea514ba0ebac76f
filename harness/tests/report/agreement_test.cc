#include "report/agreement.h"

#include <gtest/gtest.h>

namespace luf::report {
namespace {

using judge::Outcome;

/// Its detector `watcher` reported `by_detector` in the phase with the fault, tlb_check `by_kernel`; "" is silence.
MatrixGuest guest(const std::string& by_detector, const std::string& by_kernel, bool ended = true) {
  MatrixGuest guest{{}, "selftest/unmap", {}};
  guest.scenario.phases.resize(2);
  guest.scenario.phases[0].name = "control";
  guest.scenario.phases[1].name = "fault";
  guest.scenario.phases[1].expect = "R1";
  guest.scenario.phases[1].points_off = {"unmap"};
  guest.scenario.parts = {{scenario::PartKind::kDetector, "unmap_access", "watcher", {}},
                          {scenario::PartKind::kDetector, "tlb_check", "checks", {}}};
  guest.summary.phases["control"].ended = true;
  judge::PhaseRecord& planted = guest.summary.phases["fault"];
  planted.ended = ended;
  if (!by_detector.empty()) planted.findings.push_back({"watcher", by_detector, "It read it.", 1, 1});
  if (!by_kernel.empty()) planted.findings.push_back({"checks", by_kernel, "The kernel found it.", 1, 1});
  return guest;
}

/// `rules` of what it saw in that phase, 0 is the silent one.
judge::OracleReport oracle(int phase, const std::vector<std::string>& rules) {
  judge::OracleReport report;
  for (const std::string& rule : rules) {
    report.findings.emplace_back();
    report.findings.back().phase = phase;
    report.findings.back().rule = rule;
  }
  return report;
}

MatrixGuest with(MatrixGuest guest, judge::OracleReport report) {
  guest.summary.oracle = std::move(report);
  return guest;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Agreement, tells_apart_who_saw_what) {
  const std::vector<Agreement> rows =
      agreements({with(guest("R1", ""), oracle(1, {"R8", "R1"})), with(guest("R1", "R1"), oracle(1, {"R1"})),
                  with(guest("", "R1"), oracle(1, {}))});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].fault, "unmap");
  EXPECT_EQ(rows[1].fault, "");  // silence comes last
  EXPECT_EQ(exit_code(rows), 0);
  const std::string table = to_table(rows);
  EXPECT_TRUE(
      says(table, "unmap           selftest/unmap  R1    R1 2/3     R1 2/3           R1 1/3; R1,R8 1/3\n"))
      << table;
  EXPECT_TRUE(says(table, "none, 3 phases                        .          .                .\n")) << table;
  EXPECT_TRUE(says(to_json(rows, "kernel k"), "\"oracle\": \"R1,R8\""));
}

TEST(Agreement, a_finding_that_the_judge_took_from_the_oracle_is_no_detectors) {
  MatrixGuest seen = guest("", "");
  seen.summary.phases["fault"].findings.push_back(
      {std::string(judge::kOraclePart), "R1", "It saw it.", 0, 0});
  EXPECT_EQ(agreements({with(seen, oracle(1, {"R1"}))})[0].guests[0].detectors, "");
}

TEST(Agreement, a_fault_that_nobody_saw_and_a_word_in_silence_are_not_good) {
  EXPECT_EQ(exit_code(agreements({with(guest("", ""), oracle(1, {}))})), 1);
  EXPECT_EQ(exit_code(agreements({with(guest("R1", ""), oracle(0, {"R8"}))})), 1);
}

TEST(Agreement, who_did_not_reach_the_end_has_no_say) {
  const std::vector<Agreement> rows = agreements({with(guest("R1", "", false), oracle(1, {"R1"}))});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].fault, "");
  EXPECT_EQ(exit_code(std::vector<Agreement>{}), 3);
}

TEST(Agreement, silence_of_who_was_not_heard_is_not_silence) {
  MatrixGuest whole = guest("R1", "");
  whole.summary.verdict.outcome = Outcome::kPass;
  whole.summary.verdict.phases = {{"control", Outcome::kPass, "fine"}, {"fault", Outcome::kPass, "fine"}};
  judge::OracleReport complete = oracle(1, {"R1"});
  complete.complete = true;
  EXPECT_TRUE(unheard({with(whole, complete)}).empty());
  EXPECT_EQ(unheard({with(whole, oracle(1, {}))}).size(), 1U);  // no whole report
  MatrixGuest hung = whole;
  hung.summary.phases["fault"].ended = false;
  hung.summary.verdict.phases[1] = {"fault", Outcome::kFail, "the guest hung"};
  ASSERT_EQ(unheard({with(hung, complete)}).size(), 1U);
  EXPECT_TRUE(says(unheard({with(hung, complete)})[0],
                   "selftest/unmap seed 1: phase fault did not end: the guest hung"));
  MatrixGuest idle = whole;
  idle.summary.verdict.phases[0] = {"control", Outcome::kVacuous, "too little"};
  EXPECT_TRUE(says(unheard({with(idle, complete)})[0], "phase control: vacuous: too little"));
  MatrixGuest warned = whole;
  warned.summary.verdict.outcome = Outcome::kFail;
  warned.summary.verdict.reason = "a warning";
  EXPECT_TRUE(says(unheard({with(warned, complete)})[0], "a warning"));
  const std::vector<Agreement> rows = agreements({with(whole, complete)});
  EXPECT_EQ(exit_code(rows), 0);
  EXPECT_EQ(exit_code(rows, {"somebody"}), 3);
}

TEST(Agreement, checks_that_have_nothing_to_look_at_are_silent) {
  MatrixGuest past = guest("R1", "");
  past.summary.verdict.outcome = Outcome::kVacuous;
  past.summary.verdict.phases = {{"control", Outcome::kVacuous, "checks checked no load"},
                                 {"fault", Outcome::kPass, "fine"}};
  judge::PhaseRecord& control = past.summary.phases["control"];
  control.started = true;
  control.loads = 9;
  control.metrics = {{"watcher", {{"loads", 9}}}, {"checks", {{"loads", 0}}}};
  judge::OracleReport complete = oracle(1, {"R1"});
  complete.complete = true;
  EXPECT_TRUE(unheard({with(past, complete)}).empty());
  MatrixGuest warned = past;
  warned.summary.verdict.outcome = Outcome::kInfra;  // of the run, not of that phase
  warned.summary.verdict.reason = "a warning";
  EXPECT_EQ(unheard({with(warned, complete)}).size(), 1U);
  MatrixGuest deferring = past;
  deferring.summary.phases["control"].counters["luf_deferred"] = 5;  // then they should have looked
  EXPECT_EQ(unheard({with(deferring, complete)}).size(), 1U);
  MatrixGuest idle = past;
  idle.summary.phases["control"].metrics["watcher"]["loads"] = 0;
  EXPECT_EQ(unheard({with(idle, complete)}).size(), 1U);
}

TEST(Agreement, what_the_oracle_saw_outside_of_the_phases_is_no_silence) {
  EXPECT_EQ(exit_code(agreements({with(guest("R1", ""), oracle(-1, {"R8"}))})), 1);
}

}  // namespace
}  // namespace luf::report
