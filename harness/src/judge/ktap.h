// Test results in the kernel's format (KTAP; Documentation/dev-tools/ktap.rst), as its selftests and KUnit print them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace luf::judge {

enum class TestEnd { kPass, kFail, kSkip };
std::string_view to_string(TestEnd end);

/// One line "ok 3 name # SKIP reason".
struct TestResult {
  TestEnd end = TestEnd::kFail;
  std::string name;
  std::string reason;  ///< what stands behind "SKIP", else behind '#'; may be empty
  int depth = 0;       ///< levels of nesting: 0 is outermost, a test stands behind what is nested in it
};

/// All result lines of `text`, in order; printk's time stamps and what else is printed between are passed over.
/// Thread: any.
std::vector<TestResult> test_results(std::string_view text);

/// What a guest's console says of one KUnit suite.
struct SuiteReport {
  bool any_kunit = false;         ///< KUnit ran at all: it is built in and enabled
  bool found = false;             ///< the suite ran to its end
  std::vector<TestResult> cases;  ///< of the suite
  std::string text;               ///< all that was printed while it ran
};

SuiteReport suite_report(std::string_view console, std::string_view suite);

/// One test of several runs; what it holds of another test's results are its subtests.
struct TestRow {
  std::string name;  ///< of a subtest: "test / subtest", with a number when the test uses the name again
  bool subtest = false;
  std::vector<std::string> ends;  ///< a word for each run; "-" where the test did not end
  bool steady = true;             ///< the runs of the reference agree
  bool differs = false;           ///< steady, and another run has something else
};

/// Lays runs side by side, each given by its console: tests at depth 1, by name, and their subtests, by place (their names
/// may hold what was measured), in order of their first appearance. Runs number 0, 2, 4, ... are the reference. A kernel fault on the console is a test of its own that failed.
std::vector<TestRow> compare_runs(const std::vector<std::string>& consoles);

}  // namespace luf::judge
