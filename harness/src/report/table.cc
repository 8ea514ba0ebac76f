#include "base/units.h"
#include "report/summary.h"

namespace luf::report {
namespace {

using Row = std::vector<std::string>;

std::string flushes_of(const Summary& summary) {
  std::string text;
  for (const auto& [cause, count] : summary.flushes) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", cause, format_count(count));
  }
  return text.empty() ? "-" : text;
}

Row row_of(const Summary& summary) {
  return {summary.scenario,
          std::string(to_string(summary.verdict.outcome)),
          summary.kernel.empty() ? "-" : summary.kernel,
          summary.accel.empty() ? "-" : summary.accel,
          format_count(summary.deferrals),
          format_count(summary.loads),
          format_count(summary.findings),
          fmt::format("{:.1f}", summary.seconds),
          flushes_of(summary)};
}

/// What litmus tests counted: "    outcome a=1 b=0  123", a line each.
std::string outcomes_of(const Summary& summary) {
  std::string text;
  for (const auto& [name, count] : summary.metrics) {
    const std::size_t at = name.find(".outcome ");
    if (at == std::string::npos) continue;
    const std::string part = name.starts_with("litmus.") ? "" : name.substr(0, at) + " ";
    text += fmt::format("    {}{}  {}\n", part, name.substr(at + 1), format_count(count));
  }
  return text;
}

std::string format_rows(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  constexpr std::size_t kFirstNumber = 4;
  constexpr std::size_t kLastNumber = 7;
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool right = i >= kFirstNumber && i <= kLastNumber;
      line += right ? fmt::format("{:>{}}  ", row[i], widths[i]) : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string tally(const std::vector<Summary>& summaries) {
  std::map<std::string_view, int> counts;
  for (const Summary& summary : summaries) ++counts[to_string(summary.verdict.outcome)];
  std::string text;
  for (const auto& [name, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  return text.empty() ? "none ran" : text;
}

std::string to_table(const std::vector<Summary>& summaries) {
  std::vector<Row> rows{{"scenario", "verdict", "kernel", "accel", "deferrals", "loads", "findings",
                         "seconds", "flushes by cause"}};
  for (const Summary& summary : summaries) {
    rows.push_back(row_of(summary));
  }
  std::string text = format_rows(rows) + "\n";
  for (const Summary& summary : summaries) {
    text += fmt::format("{} {}: {}\n", to_string(summary.verdict.outcome), summary.scenario,
                        summary.verdict.reason);
    if (summary.oracle) text += fmt::format("    {}\n", judge::to_line(*summary.oracle));
    if (summary.verdict.outcome != judge::Outcome::kPass) {
      for (const std::string& note : summary.verdict.notes) text += fmt::format("    {}\n", note);
    }
    text += outcomes_of(summary);
    if (!summary.directory.empty()) text += fmt::format("    {}\n", summary.directory.string());
  }
  return text + fmt::format("{} guests: {}\n", summaries.size(), tally(summaries));
}

}  // namespace luf::report
