#include "report/matrix.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace luf::report {
namespace {

using judge::Outcome;

scenario::Scenario proof(std::int64_t seed, const std::string& fault = "unmap",
                         const std::string& rule = "R1") {
  scenario::Scenario scenario;
  scenario.seed = seed;
  scenario.phases.resize(2);
  scenario.phases[0].name = "control";
  scenario.phases[1].name = "fault";
  scenario.phases[1].expect = rule;
  scenario.phases[1].points_off = {fault};
  scenario.parts.push_back({scenario::PartKind::kDetector, "unmap_access", "watcher", {}});
  return scenario;
}

/// A guest whose control phase was silent and whose fault phase ended like that.
MatrixGuest guest(scenario::Scenario scenario, Outcome fault, std::uint64_t after_ms = 0,
                  Outcome control = Outcome::kPass) {
  MatrixGuest guest{std::move(scenario), "selftest/unmap", {}};
  judge::PhaseRecord& silent = guest.summary.phases["control"];
  silent.elapsed_ms = 5000;
  silent.loads = 100;
  silent.metrics["watcher"] = {{"tries", 20}, {"promises", 10}};
  silent.counters["luf_deferred"] = 7;
  judge::PhaseRecord& planted = guest.summary.phases["fault"];
  if (after_ms > 0) {
    planted.findings.push_back(
        {"watcher", guest.scenario.phases[1].expect, "A thread read it.", after_ms, 50});
    planted.metrics["watcher"] = {{"tries", 3}};
  }
  guest.summary.verdict.outcome = Outcome::kPass;
  guest.summary.verdict.phases = {{"control", control, "because"}, {"fault", fault, "because"}};
  return guest;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Matrix, tells_who_saw_a_fault_as_what_and_how_soon) {
  const Matrix matrix = tabulate({guest(proof(1), Outcome::kPass, 100), guest(proof(2), Outcome::kPass, 300),
                                  guest(proof(3), Outcome::kPass, 900)},
                                 false);
  ASSERT_EQ(matrix.cells.size(), 1U);
  EXPECT_EQ(matrix.cells[0].fault, "unmap");
  EXPECT_EQ(matrix.cells[0].kills(), 3U);
  EXPECT_EQ(matrix.cells[0].median_ms(), 300);
  EXPECT_TRUE(matrix.holes.empty());
  EXPECT_EQ(exit_code(matrix), 0);
  const std::string table = to_table(matrix);
  EXPECT_TRUE(says(table, "3/3   unmap_access  0.30 s (0.10 s-0.90 s)")) << table;
  EXPECT_TRUE(
      says(table,
           "3 phases of 3 seeds, 15 s of guest time, 300 loads checked, 30 promise points passed in 60 "
           "tries, 21 flushes deferred: silent; a false alarm comes in fewer than 3/n = 1 of"))
      << table;
}

TEST(Matrix, tells_what_the_oracle_counted_where_nothing_was_planted) {
  MatrixGuest silent = guest(proof(1), Outcome::kPass);
  silent.scenario.phases.pop_back();
  silent.summary.oracle = judge::OracleReport{
      .complete = true, .level = "violations", .checked = 90, .window = 4, .findings = {}};
  MatrixGuest planted = guest(proof(2), Outcome::kPass, 100);
  planted.summary.oracle =
      judge::OracleReport{.complete = true, .level = "violations", .violation = 3, .findings = {}};
  const std::string table = to_table(tabulate({silent, silent, planted}, false));
  EXPECT_TRUE(says(
      table, "oracle (violations): window 8, deferred 0, violation 0, unknown 0 of 180 accesses checked\n"))
      << table;
}

TEST(Matrix, a_fault_that_one_guest_did_not_see_is_a_hole) {
  const Matrix matrix =
      tabulate({guest(proof(1), Outcome::kPass, 100), guest(proof(2), Outcome::kFail)}, false);
  ASSERT_EQ(matrix.holes.size(), 1U);
  EXPECT_EQ(matrix.holes[0].fault, "unmap");
  EXPECT_TRUE(
      says(to_table(matrix), "hole: fault unmap: seen in 1 of 2 guests of selftest/unmap; seed 2: because"));
  EXPECT_EQ(exit_code(matrix), 1);
}

TEST(Matrix, a_fault_seen_as_another_rule_is_a_hole) {
  MatrixGuest wrong = guest(proof(1), Outcome::kFail, 100);
  wrong.summary.phases["fault"].findings[0].rule = "R8";
  const Matrix matrix = tabulate({wrong}, false);
  EXPECT_EQ(exit_code(matrix), 1);
  EXPECT_TRUE(says(to_table(matrix), "unmap_access as R8"));
}

TEST(Matrix, a_fault_that_nothing_can_show_is_accepted_with_its_reason) {
  const Matrix matrix = tabulate({guest(proof(1, "kept", "R8"), Outcome::kFail)}, false);
  EXPECT_EQ(exit_code(matrix), 0);
  EXPECT_TRUE(says(to_table(matrix), "accepted: fault kept: "));
}

TEST(Matrix, a_whole_one_names_the_faults_that_no_scenario_planted) {
  const std::vector<MatrixGuest> guests{guest(proof(1), Outcome::kPass, 100)};
  EXPECT_EQ(exit_code(tabulate(guests, false)), 0);
  const Matrix whole = tabulate(guests, true);
  EXPECT_EQ(exit_code(whole), 1);
  EXPECT_TRUE(says(to_table(whole), "hole: fault early_free: no scenario planted it"));
}

TEST(Matrix, a_finding_without_a_fault_is_a_false_alarm) {
  const Matrix matrix = tabulate({guest(proof(1), Outcome::kPass, 100, Outcome::kFail)}, false);
  EXPECT_EQ(exit_code(matrix), 1);
  EXPECT_TRUE(says(to_table(matrix), "false alarm: selftest/unmap seed 1: because"));
  EXPECT_FALSE(says(to_table(matrix), "silent; a false alarm"));
}

TEST(Matrix, a_panic_that_no_phase_shows_is_a_false_alarm) {
  MatrixGuest panicked = guest(proof(1), Outcome::kPass, 100);
  panicked.summary.verdict.outcome = Outcome::kFail;
  panicked.summary.verdict.reason = "the guest panicked";
  EXPECT_EQ(exit_code(tabulate({panicked}, false)), 1);
}

TEST(Matrix, of_an_idle_guest_nothing_is_concluded) {
  const Matrix matrix = tabulate({guest(proof(1), Outcome::kPass, 100, Outcome::kVacuous)}, false);
  EXPECT_EQ(matrix.quiet.phases, 0U);
  EXPECT_EQ(exit_code(matrix), 3);
  EXPECT_TRUE(says(to_table(matrix), "of no use: selftest/unmap seed 1, phase control: vacuous"));
}

TEST(Matrix, a_full_one_sets_faults_against_detectors) {
  MatrixGuest both = guest(proof(1), Outcome::kPass, 100);
  scenario::Phase other = both.scenario.phases[1];
  other.name = "also protect";
  other.expect = scenario::kAny;
  other.points_off = {"protect"};
  both.scenario.phases.push_back(other);
  both.summary.phases["also protect"];
  both.summary.verdict.phases.push_back({"also protect", Outcome::kPass, "none"});
  const std::string table = to_table(tabulate({both}, false));
  EXPECT_TRUE(says(table, "fault    unmap_access\nprotect  .\nunmap    R1 1/1\n")) << table;
}

TEST(Matrix, json_and_html_say_the_same) {
  const Matrix matrix = tabulate({guest(proof(1), Outcome::kFail)}, false);
  const auto json = nlohmann::json::parse(to_json(matrix, "kernel k"));
  EXPECT_EQ(json.at("exit_code"), 1);
  EXPECT_EQ(json.at("cells").at(0).at("fault"), "unmap");
  EXPECT_EQ(json.at("holes").at(0).at("fault"), "unmap");
  EXPECT_EQ(json.at("without_fault").at("guest_ms"), 5000);
  const std::string html = to_html(matrix, "kernel <k>");
  EXPECT_TRUE(says(html, "<td>unmap</td>"));
  EXPECT_TRUE(says(html, "kernel &lt;k&gt;"));
}

}  // namespace
}  // namespace luf::report
