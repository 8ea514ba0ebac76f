#include "report/violation.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/columns.h"
#include "report/html.h"

namespace luf::report {
namespace {

/// Those that had a part in it, in order.
std::vector<unsigned> cpus_of(const judge::OracleFinding& finding) {
  std::vector<unsigned> cpus;
  for (const judge::OracleMark& mark : finding.marks) cpus.push_back(mark.cpu);
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

std::size_t column_of(const std::vector<unsigned>& cpus, unsigned cpu) {
  return static_cast<std::size_t>(std::find(cpus.begin(), cpus.end(), cpu) - cpus.begin());
}

std::string microseconds(std::uint64_t ns) {
  return ns == 0 ? "0" : fmt::format("-{:.3f}", static_cast<double>(ns) / 1000);
}

std::string heading(const judge::OracleFinding& finding) {
  return fmt::format("{}, {} times: {}", finding.rule, finding.count, finding.detail);
}

}  // namespace

std::string violation_text(const judge::OracleFinding& finding) {
  const std::vector<unsigned> cpus = cpus_of(finding);
  std::vector<Row> rows{{"us"}};
  for (const unsigned cpu : cpus) rows.front().push_back(fmt::format("CPU {}", cpu));
  for (const judge::OracleMark& mark : finding.marks) {
    Row row(cpus.size() + 1);
    row.front() = microseconds(mark.before_ns);
    row[column_of(cpus, mark.cpu) + 1] = mark.what;
    rows.push_back(std::move(row));
  }
  return heading(finding) + "\n" + columns(rows);
}

std::string violation_svg(const judge::OracleFinding& finding) {
  constexpr std::size_t kLeft = 90;
  constexpr std::size_t kColumn = 90;
  constexpr std::size_t kTop = 70;
  constexpr std::size_t kRow = 34;
  constexpr std::size_t kLetter = 8;  // wide at most, in the font below
  const std::vector<unsigned> cpus = cpus_of(finding);
  const std::size_t right = kLeft + cpus.size() * kColumn;
  const std::size_t height = kTop + finding.marks.size() * kRow + 10;
  const std::string title = heading(finding);
  std::size_t width = title.size() * kLetter + 20;
  for (const judge::OracleMark& mark : finding.marks)
    width = std::max(width, right + mark.what.size() * kLetter + 20);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n"
      "<style>svg{{--fg:#1b1f24;--bg:#fff;--line:#d0d7de;--bad:#b3261e;background:var(--bg)}}"
      "@media(prefers-color-scheme:dark){{svg{{--fg:#e6edf3;--bg:#0f1318;--line:#39424d;--bad:#ff8a80}}}}"
      "text{{fill:var(--fg);font:12px ui-monospace,monospace}}line{{stroke:var(--line)}}"
      "circle{{fill:var(--fg)}}.bad{{fill:var(--bad)}}</style>\n",
      width, height, html::escaped(title));
  svg += fmt::format("<text x=\"10\" y=\"22\">{}</text>\n", html::escaped(title));
  svg += fmt::format("<text x=\"10\" y=\"{}\">us</text>\n", kTop - 20);
  const auto centre = [&](std::size_t column) { return kLeft + column * kColumn + kColumn / 2; };
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">CPU {}</text>\n", centre(i), kTop - 20,
                       cpus[i]);
    svg += fmt::format("<line x1=\"{0}\" y1=\"{1}\" x2=\"{0}\" y2=\"{2}\"/>\n", centre(i), kTop - 10,
                       height - 10);
  }
  for (std::size_t i = 0; i < finding.marks.size(); ++i) {
    const judge::OracleMark& mark = finding.marks[i];
    const std::size_t y = kTop + i * kRow + kRow / 2;
    const std::size_t x = centre(column_of(cpus, mark.cpu));
    const bool last = i + 1 == finding.marks.size();
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft - 10, y + 4,
                       microseconds(mark.before_ns));
    svg += fmt::format("<line x1=\"{0}\" y1=\"{2}\" x2=\"{1}\" y2=\"{2}\"/>\n", x, right, y);
    svg += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"5\"{}/>\n", x, y, last ? " class=\"bad\"" : "");
    svg += fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", right + 8, y + 4,
                       last ? " class=\"bad\"" : "", html::escaped(mark.what));
  }
  return svg + "</svg>\n";
}

}  // namespace luf::report
