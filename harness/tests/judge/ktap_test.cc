#include "judge/ktap.h"

#include <gtest/gtest.h>

namespace luf::judge {
namespace {

constexpr std::string_view kConsole =
    "[    0.412345] KTAP version 1\r\n"
    "[    0.412999] 1..2\r\n"
    "[    0.413000]     KTAP version 1\r\n"
    "[    0.413001]     # Subtest: other\r\n"
    "[    0.413002]     1..1\r\n"
    "[    0.413003]     ok 1 wraps\r\n"
    "[    0.413004] ok 1 other\r\n"
    "[    0.413005]     KTAP version 1\r\n"
    "[    0.413006]     # Subtest: luf\r\n"
    "[    0.413007]     1..3\r\n"
    "[    0.413008]         ok 1 small\r\n"
    "[    0.413009]     ok 1 generation_wraps\r\n"
    "[    0.413010]     # prune: EXPECTATION FAILED at mm/luf_test.c:12\r\n"
    "[    0.413011]     not ok 2 prune\r\n"
    "[    0.413012] usb: something else\r\n"
    "[    0.413013]     ok 3 split # SKIP needs two nodes\r\n"
    "[    0.413014] not ok 2 luf\r\n";

TEST(Ktap, suite_report_has_the_cases_of_that_suite_and_no_nested_ones) {
  const SuiteReport report = suite_report(kConsole, "luf");
  EXPECT_TRUE(report.any_kunit);
  EXPECT_TRUE(report.found);
  ASSERT_EQ(report.cases.size(), 3U);
  EXPECT_EQ(report.cases[0].name, "generation_wraps");
  EXPECT_EQ(report.cases[0].end, TestEnd::kPass);
  EXPECT_EQ(report.cases[1].end, TestEnd::kFail);
  EXPECT_EQ(report.cases[2].end, TestEnd::kSkip);
  EXPECT_EQ(report.cases[2].reason, "needs two nodes");
  EXPECT_NE(report.text.find("EXPECTATION FAILED"), std::string::npos);
  EXPECT_EQ(report.text.find("wraps\n    # Subtest"), std::string::npos);
}

TEST(Ktap, suite_that_broke_off_is_not_found) {
  const SuiteReport report = suite_report(kConsole.substr(0, kConsole.find("[    0.413013]")), "luf");
  EXPECT_FALSE(report.found);
  EXPECT_EQ(report.cases.size(), 2U);
}

TEST(Ktap, missing_suite_is_told_from_missing_kunit) {
  EXPECT_TRUE(suite_report(kConsole, "absent").any_kunit);
  EXPECT_FALSE(suite_report(kConsole, "absent").found);
  EXPECT_FALSE(suite_report("[    0.1] Linux version 6.12\n", "luf").any_kunit);
}

TEST(Ktap, results_of_a_selftest_come_in_order_with_plain_names) {
  const std::vector<TestResult> results = test_results(
      "TAP version 13\n1..4\n# [RUN] one\nok 1 - read only\nnot ok 2 write 3 bytes\nok 3 pinned # SKIP no "
      "huge page\n"
      "ok 4 # SKIP\n");
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].name, "read only");
  EXPECT_EQ(results[1].name, "write 3 bytes");
  EXPECT_EQ(results[1].end, TestEnd::kFail);
  EXPECT_EQ(results[2].name, "pinned");
  EXPECT_EQ(results[2].reason, "no huge page");
  EXPECT_EQ(results[3].end, TestEnd::kSkip);
  EXPECT_EQ(results[3].name, "");
}

constexpr std::string_view kOff =
    "KTAP version 1\n        ok 1 - read\n        ok 2 - read\n    ok 1 cow\n    not ok 2 soft-dirty # exit "
    "1\n    ok 3 ksm\n";

TEST(Ktap, equal_runs_differ_in_nothing) {
  for (const TestRow& row : compare_runs({std::string(kOff), std::string(kOff), std::string(kOff)}))
    EXPECT_TRUE(row.steady && !row.differs) << row.name;
}

TEST(Ktap, a_subtest_is_known_by_its_place) {
  const std::vector<TestRow> rows = compare_runs({std::string(kOff)});
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].name, "cow");
  EXPECT_EQ(rows[1].name, "cow 1: read");
  EXPECT_EQ(rows[2].name, "cow 2: read");
  EXPECT_EQ(rows[3].ends[0], "FAIL (exit 1)");
  std::string measured(kOff);
  measured.replace(measured.find("read"), 4, "read 17 pages");
  EXPECT_EQ(compare_runs({std::string(kOff), measured}).size(), 5U);
}

TEST(Ktap, a_test_that_ends_otherwise_or_not_at_all_differs) {
  std::string on(kOff);
  on.replace(on.find("    ok 1 cow"), 12, "    not ok 1 cow # signal 11");
  on.erase(on.find("    ok 3 ksm"));
  const std::vector<TestRow> rows = compare_runs({std::string(kOff), on, std::string(kOff)});
  EXPECT_TRUE(rows[0].differs);
  EXPECT_EQ(rows[0].ends[1], "FAIL (signal 11)");
  EXPECT_FALSE(rows[1].differs);
  EXPECT_TRUE(rows[4].differs);
  EXPECT_EQ(rows[4].ends[1], "-");
}

TEST(Ktap, a_test_that_wavers_without_the_change_says_nothing_about_it) {
  std::string other(kOff);
  other.replace(other.find("    ok 3 ksm"), 12, "    not ok 3 ksm");
  const std::vector<TestRow> rows = compare_runs({std::string(kOff), other, other});
  EXPECT_FALSE(rows[4].steady);
  EXPECT_FALSE(rows[4].differs);
}

TEST(Ktap, a_kernel_fault_of_one_run_differs) {
  const std::string faulty = std::string(kOff) + "[    9.1] BUG: KASAN: use-after-free in luf_flush\n";
  const std::vector<TestRow> rows = compare_runs({std::string(kOff), faulty, std::string(kOff)});
  EXPECT_TRUE(rows.back().differs);
  EXPECT_EQ(rows.back().name, "kernel: BUG: KASAN: use-after-free in luf_flush");
}

}  // namespace
}  // namespace luf::judge
