#include "judge/ktap.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "judge/console.h"

namespace luf::judge {
namespace {

constexpr std::size_t kIndent = 4;  // spaces a level

/// Cuts the next line off `text`, without its end.
std::string_view next_line(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// "[    1.234567] text" -> "text", with the indentation of the text kept.
std::string_view without_stamp(std::string_view line) {
  constexpr std::string_view kEnd = "] ";
  const std::size_t end = line.find(kEnd);
  const bool stamped = line.starts_with('[') && end != std::string_view::npos &&
                       line.substr(1, end - 1).find_first_not_of(" .0123456789") == std::string_view::npos;
  return stamped ? line.substr(end + kEnd.size()) : line;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::optional<TestResult> parse(std::string_view line) {
  TestResult result;
  const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
  result.depth = static_cast<int>(indent / kIndent);
  line.remove_prefix(indent);
  const bool bad = take(line, "not ");
  if (!take(line, "ok ")) return std::nullopt;
  result.end = bad ? TestEnd::kFail : TestEnd::kPass;
  line.remove_prefix(std::min(line.find_first_not_of("0123456789"), line.size()));
  line = trimmed(line);
  take(line, "- ");
  const std::size_t directive = line.find("# ");
  if (directive != std::string_view::npos) {
    std::string_view reason = line.substr(directive + 2);
    if (take(reason, "SKIP") || take(reason, "skip")) result.end = TestEnd::kSkip;
    result.reason = trimmed(reason);
    line = line.substr(0, directive);
  }
  result.name = trimmed(line);
  return result;
}

/// "pass", or "FAIL (exit 1)".
std::string end_text(const TestResult& result) {
  const bool told = result.end == TestEnd::kFail && !result.reason.empty();
  return told ? fmt::format("{} ({})", to_string(result.end), result.reason)
              : std::string(to_string(result.end));
}

struct RunRow {
  std::string key;
  TestRow row;
};

/// Tests and subtests of one run, in order, each key once.
std::vector<RunRow> flatten(std::string_view console) {
  std::vector<RunRow> rows;
  std::vector<TestResult> subtests;
  std::map<std::string, int> seen;
  for (const TestResult& result : test_results(console)) {
    if (result.depth >= 2) subtests.push_back(result);
    if (result.depth != 1) continue;
    const int again = ++seen[result.name];
    const std::string test = again == 1 ? result.name : fmt::format("{} ({})", result.name, again);
    rows.push_back({test, {test, false, {end_text(result)}}});
    for (std::size_t i = 0; i < subtests.size(); ++i) {
      const std::string key = fmt::format("{} {}", test, i + 1);
      rows.push_back(
          {key,
           {fmt::format("{}: {}", key, subtests[i].name), true, {std::string(to_string(subtests[i].end))}}});
    }
    subtests.clear();
  }
  for (const ConsoleHit& hit : scan_console(console)) {
    const std::string name = "kernel: " + hit.line;
    if (hit.meaning == ConsoleMeaning::kGuestFault || hit.meaning == ConsoleMeaning::kLockup)
      rows.push_back({name, {name, false, {"FAIL"}}});
  }
  return rows;
}

void judge_row(TestRow& row) {
  for (std::size_t run = 0; run < row.ends.size(); run += 2)
    row.steady = row.steady && row.ends[run] == row.ends[0];
  for (std::size_t run = 1; run < row.ends.size(); run += 2)
    row.differs = row.differs || (row.steady && row.ends[run] != row.ends[0]);
}

}  // namespace

std::string_view to_string(TestEnd end) {
  switch (end) {
    case TestEnd::kPass:
      return "pass";
    case TestEnd::kFail:
      return "FAIL";
    case TestEnd::kSkip:
      return "skip";
  }
  return "FAIL";
}

std::vector<TestResult> test_results(std::string_view text) {
  std::vector<TestResult> results;
  while (!text.empty()) {
    std::optional<TestResult> result = parse(without_stamp(next_line(text)));
    if (result) results.push_back(std::move(*result));
  }
  return results;
}

SuiteReport suite_report(std::string_view console, std::string_view suite) {
  SuiteReport report;
  const std::string begin = fmt::format("# Subtest: {}", suite);
  bool inside = false;
  while (!console.empty() && !report.found) {
    const std::string_view line = without_stamp(next_line(console));
    report.any_kunit = report.any_kunit || line.starts_with("KTAP version");
    inside = inside || trimmed(line) == begin;
    if (!inside) continue;
    report.text += fmt::format("{}\n", line);
    const std::optional<TestResult> result = parse(line);
    if (!result) continue;
    if (result->depth == 1) report.cases.push_back(*result);
    report.found = result->depth == 0 && result->name == suite;
  }
  return report;
}

std::vector<TestRow> compare_runs(const std::vector<std::string>& consoles) {
  std::vector<TestRow> rows;
  std::map<std::string, std::size_t> places;
  for (std::size_t run = 0; run < consoles.size(); ++run) {
    for (auto& [key, row] : flatten(consoles[run])) {
      const auto [place, is_new] = places.emplace(key, rows.size());
      if (is_new) rows.push_back({row.name, row.subtest, std::vector<std::string>(consoles.size(), "-")});
      rows[place->second].ends[run] = std::move(row.ends.front());
    }
  }
  for (TestRow& row : rows) judge_row(row);
  return rows;
}

}  // namespace luf::judge
