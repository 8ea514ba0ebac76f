#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/units.h"
#include "report/campaign.h"
#include "report/compare.h"
#include "report/html.h"
#include "report/stats.h"
#include "report/timeline.h"

namespace luf::report {
namespace {

using history::Case;
using history::Run;
using html::escaped;
using judge::Outcome;

std::string_view color_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
    case Outcome::kKnownFailure:
      return "good";
    case Outcome::kFail:
    case Outcome::kUnexpectedPass:
      return "bad";
    case Outcome::kInfra:
    case Outcome::kVacuous:
      return "odd";
    case Outcome::kSkip:
      return "";
  }
  return "";
}

std::string column_of(const Run& run) {
  return fmt::format("{} · {} · {} CPUs", run.kernel, run.points, run.cpus);
}

/// One square: how many seeds ended how, colored by the worst.
std::string square(const std::vector<const Case*>& cases) {
  constexpr Outcome kWorstFirst[] = {Outcome::kFail,    Outcome::kUnexpectedPass, Outcome::kInfra,
                                     Outcome::kVacuous, Outcome::kSkip,           Outcome::kKnownFailure,
                                     Outcome::kPass};
  std::string text;
  std::string_view color;
  for (const Outcome outcome : kWorstFirst) {
    const auto count = std::count_if(cases.begin(), cases.end(),
                                     [&](const Case* one) { return one->first().outcome == outcome; });
    if (count == 0) continue;
    if (text.empty()) color = color_of(outcome);
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, to_string(outcome));
  }
  return fmt::format("<td class=\"{}\">{}</td>", color, text.empty() ? "-" : text);
}

std::string grid(const std::vector<Case>& cases) {
  std::map<std::string, std::map<std::string, std::vector<const Case*>>> squares;
  std::set<std::string> columns_seen;
  for (const Case& one : cases) {
    squares[one.first().scenario][column_of(one.first())].push_back(&one);
    columns_seen.insert(column_of(one.first()));
  }
  std::string text = "<div class=\"wide\"><table>\n<tr><th>scenario</th>";
  for (const std::string& column : columns_seen) text += fmt::format("<th>{}</th>", escaped(column));
  text += "</tr>\n";
  for (auto& [scenario, by_column] : squares) {
    text += fmt::format("<tr><th>{}</th>", escaped(scenario));
    for (const std::string& column : columns_seen) text += square(by_column[column]);
    text += "</tr>\n";
  }
  return text + "</table></div>\n";
}

std::set<std::string> kernels_of(const std::vector<Case>& cases) {
  std::set<std::string> kernels;
  for (const Case& one : cases) kernels.insert(one.first().kernel);
  return kernels;
}

/// Counters with that prefix, summed over the first attempts on a kernel; names without the prefix.
std::map<std::string, std::int64_t> sums(const std::vector<Case>& cases, const std::string& kernel,
                                         std::string_view prefix) {
  std::map<std::string, std::int64_t> result;
  for (const Case& one : cases) {
    if (one.first().kernel != kernel) continue;
    for (const auto& [name, value] : one.first().counters)
      if (name.starts_with(prefix)) result[name.substr(prefix.size())] += value;
  }
  return result;
}

std::string flush_table(const std::vector<Case>& cases) {
  std::set<std::string> causes;
  const std::set<std::string> kernels = kernels_of(cases);
  for (const std::string& kernel : kernels) {
    for (const auto& [cause, count] : sums(cases, kernel, kFlushPrefix)) causes.insert(cause);
  }
  std::string text =
      "<div class=\"wide\"><table>\n<tr><th>kernel</th><th>deferred</th><th>refused</th><th>shootdown "
      "IPIs</th>";
  for (const std::string& cause : causes) text += fmt::format("<th>{}</th>", escaped(cause));
  text += "</tr>\n";
  const auto cell = [](std::map<std::string, std::int64_t> counts, const std::string& name) {
    return fmt::format("<td class=\"n\">{}</td>", format_count(static_cast<std::uint64_t>(counts[name])));
  };
  for (const std::string& kernel : kernels) {
    const auto luf = sums(cases, kernel, "luf_");
    text += fmt::format("<tr><th>{}</th>", escaped(kernel)) + cell(luf, "deferred") + cell(luf, "refused") +
            cell(sums(cases, kernel, "ipi_"), "tlb");
    const auto flushes = sums(cases, kernel, kFlushPrefix);
    for (const std::string& cause : causes) text += cell(flushes, cause);
    text += "</tr>\n";
  }
  return text + "</table></div>\n";
}

/// Bars by powers of two. Empty without a count.
std::string histogram(const std::string& title, const std::map<std::string, std::int64_t>& buckets) {
  std::map<std::int64_t, std::int64_t> counts;
  std::int64_t most = 0;
  for (const auto& [bound, count] : buckets) {
    counts[std::stoll(bound)] = count;
    most = std::max(most, count);
  }
  if (most == 0) return {};
  constexpr int kWidth = 34;
  constexpr int kHeight = 110;
  const int width = static_cast<int>(counts.size()) * kWidth + 10;
  std::string bars;
  int x = 5;
  for (const auto& [bound, count] : counts) {
    const int height = static_cast<int>(
        std::lround(static_cast<double>(count) * (kHeight - 20) / static_cast<double>(most)));
    const std::string label = bound < 1024 ? std::to_string(bound) : fmt::format("{}k", bound / 1024);
    bars += fmt::format(
        "<rect class=\"a\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>up to {} us: {}</title></rect>"
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>"
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
        x, kHeight - height, kWidth - 4, std::max(height, 1), bound, count, x + kWidth / 2 - 2,
        kHeight - height - 4, count, x + kWidth / 2 - 2, kHeight + 14, label);
    x += kWidth;
  }
  return fmt::format(
      "<h3>{}</h3>\n<div class=\"wide\"><svg role=\"img\" aria-label=\"{}\" width=\"{}\" height=\"{}\" "
      "viewBox=\"0 0 {} {}\" "
      "style=\"max-width:none\">{}</svg></div>\n",
      escaped(title), escaped(title), width, kHeight + 20, width, kHeight + 20, bars);
}

std::string histograms(const std::vector<Case>& cases) {
  std::string text;
  for (const std::string& kernel : kernels_of(cases)) {
    text += histogram(fmt::format("{}: age of a deferral when it was flushed, up to ... us", kernel),
                      sums(cases, kernel, "luf_hist_age_us_"));
    text += histogram(fmt::format("{}: how long a flush took, up to ... us", kernel),
                      sums(cases, kernel, "luf_hist_flush_us_"));
  }
  return text;
}

/// Colors tell fewer from more; the words do, too.
std::string count_table(const Comparison& comparison) {
  const std::vector<Row> rows = count_rows(comparison);
  std::string text = "<div class=\"wide\"><table>\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += "<tr>";
    for (const std::string& cell : rows[i]) {
      const bool last = &cell == &rows[i].back();
      const std::string_view color = !last ? "" : cell == "more" ? "bad" : cell == "fewer" ? "good" : "";
      text += fmt::format("<{0} class=\"{2}\">{1}</{0}>", i == 0 ? "th" : "td", escaped(cell), color);
    }
    text += "</tr>\n";
  }
  return text + "</table></div>\n";
}

/// Every kernel against the first of the names, e.g. on against off.
std::string comparisons(const std::vector<Case>& cases) {
  const std::set<std::string> kernels = kernels_of(cases);
  const auto side = [&cases](const std::string& kernel) {
    Side one{kernel, {}};
    std::copy_if(cases.begin(), cases.end(), std::back_inserter(one.cases),
                 [&kernel](const Case& candidate) { return candidate.first().kernel == kernel; });
    return one;
  };
  if (kernels.size() < 2) return {};
  const std::string base = kernels.contains("off") ? "off" : *kernels.begin();
  std::string text;
  for (const std::string& kernel : kernels) {
    if (kernel == base) continue;
    const Comparison comparison = compare(side(base), side(kernel));
    if (comparison.verdicts.empty()) continue;
    text += fmt::format("<h3>A: {}, B: {}</h3>\n", escaped(base), escaped(kernel));
    text += html::table(verdict_rows(comparison));
    if (!comparison.counts.empty()) text += count_table(comparison);
  }
  if (text.empty()) return {};
  return "<h2>Kernel against kernel</h2>\n" + text +
         fmt::format("<p class=\"soft\">{}</p>\n", escaped(method()));
}

/// What was planted and seen: findings that a phase was expected to have, over the first runs of all seeds.
std::string planted(const std::vector<Case>& cases) {
  struct Sighting {
    std::set<const Case*> in;
    std::vector<std::int64_t> after_ms;
  };
  std::map<std::string, std::size_t> runs;  // by scenario and kernel
  std::map<std::array<std::string, 5>, Sighting> seen;
  for (const Case& one : cases) {
    const Run& run = one.first();
    ++runs[run.scenario + " " + run.kernel];
    for (const history::Finding& finding : run.findings) {
      if (finding.violation) continue;
      Sighting& sighting = seen[{run.scenario, finding.phase, run.kernel, finding.rule, finding.part}];
      if (sighting.in.insert(&one).second) sighting.after_ms.push_back(finding.after_ms);
    }
  }
  if (seen.empty()) return {};
  std::vector<Row> rows{
      {"scenario", "phase", "kernel", "rule", "seen by", "in runs", "median guest time in phase"}};
  for (auto& [what, sighting] : seen) {
    const auto middle = sighting.after_ms.begin() + static_cast<std::ptrdiff_t>(sighting.after_ms.size() / 2);
    std::nth_element(sighting.after_ms.begin(), middle, sighting.after_ms.end());
    rows.push_back({what[0], what[1], what[2], what[3], what[4],
                    fmt::format("{} of {}", sighting.in.size(), runs[what[0] + " " + what[2]]),
                    fmt::format("{:.2f} s", static_cast<double>(*middle) / 1000)});
  }
  return "<h2>Planted faults, and who saw them</h2>\n<p class=\"soft\">First finding of each detector. A "
         "planted fault that "
         "nobody sees makes its run fail.</p>\n" +
         html::table(rows);
}

std::string findings_of(const Run& run) {
  constexpr std::size_t kShown = 16;
  std::vector<Row> rows{{"guest time in phase", "phase", "rule", "by", "what"}};
  for (const history::Finding& finding : run.findings) {
    if (rows.size() > kShown) break;
    rows.push_back({fmt::format("{:.3f} s", static_cast<double>(finding.after_ms) / 1000), finding.phase,
                    finding.rule, finding.part, finding.detail});
  }
  std::string text = html::table(rows);
  if (run.findings.size() > kShown)
    text +=
        fmt::format("<p class=\"soft\">and {} more in its run directory</p>\n", run.findings.size() - kShown);
  return text;
}

std::string failure(const Case& one, bool open, const std::string& picture) {
  const Run& run = one.first();
  std::string text = fmt::format("<details{}><summary><b>{}</b> {}: {}</summary>\n", open ? " open" : "",
                                 to_string(run.outcome), escaped(one.title()), escaped(run.reason));
  if (one.attempts.size() > 1) {
    const Interval rate =
        rate_interval(static_cast<std::int64_t>(one.bad()), static_cast<std::int64_t>(one.attempts.size()));
    text += fmt::format("<p>{} of {} runs with this seed were not green (95 %: {:.0f} to {:.0f} %).</p>\n",
                        one.bad(), one.attempts.size(), 100 * rate.low, 100 * rate.high);
  }
  if (!run.findings.empty()) text += findings_of(run);
  text += picture;
  if (!run.repro.empty()) text += fmt::format("<pre>{}</pre>\n", escaped(run.repro));
  return text + fmt::format("<p class=\"soft\">{}</p></details>\n", escaped(run.directory));
}

/// What is worth reading first: a violation, another failure, the rest.
int rank_of(const Case* one) {
  const auto& findings = one->first().findings;
  if (std::any_of(findings.begin(), findings.end(), [](const history::Finding& f) { return f.violation; }))
    return 0;
  return color_of(one->first().outcome) == "bad" ? 1 : 2;
}

/// The first ten are open, so that a bad night can still be read from top to bottom. Pictures end where the page would get too
/// large to be sent around.
std::string failures(const std::vector<Case>& cases, const EventsOf& events) {
  constexpr std::size_t kOpen = 10;
  constexpr std::size_t kRoomForPictures = 3ULL << 20U;
  std::vector<const Case*> bad;
  for (const Case& one : cases) {
    if (one.first().is_bad()) bad.push_back(&one);
  }
  std::stable_sort(bad.begin(), bad.end(),
                   [](const Case* a, const Case* b) { return rank_of(a) < rank_of(b); });
  std::string text;
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const bool draws = text.size() < kRoomForPictures;
    text += failure(*bad[i], i < kOpen, draws ? timeline(events(bad[i]->first())) : "");
  }
  return text.empty() ? "" : "<h2>Not green</h2>\n" + text;
}

std::string facts(const CampaignReport& report) {
  std::int64_t runs = 0;
  std::int64_t bad = 0;
  std::int64_t loads = 0;
  for (const Case& one : report.cases) {
    runs += static_cast<std::int64_t>(one.attempts.size());
    bad += one.first().is_bad() ? 1 : 0;
    loads += one.first().loads;
  }
  const Flakes flakes = flakes_of(report.cases);
  const auto fact = [](std::string_view what, const std::string& value) {
    return fmt::format("<li><b>{}</b>{}</li>\n", escaped(value), what);
  };
  return "<ul class=\"facts\">\n" +
         fact("cases run", fmt::format("{} of {}", report.cases.size(), report.campaign.planned)) +
         fact("not green", std::to_string(bad)) + fact("runs", std::to_string(runs)) +
         fact("flaky, of those repeated", fmt::format("{} of {}", flakes.flaky, flakes.repeated)) +
         fact("loads checked", format_count(static_cast<std::uint64_t>(loads))) +
         fact("host time, s", fmt::format("{:.0f}", report.campaign.spent)) + "</ul>\n";
}

std::string builds(const std::vector<Case>& cases) {
  std::set<std::string> lines;
  for (const Case& one : cases)
    lines.insert(fmt::format("{}: {} ({})", one.first().kernel, one.first().build, one.first().accel));
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

std::string to_html(const CampaignReport& report, const EventsOf& events) {
  const history::Campaign& campaign = report.campaign;
  std::string body =
      fmt::format("<h1>Campaign {}: {}</h1>\n<p class=\"soft\">id {}, {}{}</p>\n", campaign.number,
                  escaped(campaign.name), escaped(campaign.id), to_string(campaign.state),
                  campaign.shard.empty() ? "" : ", shards " + escaped(campaign.shard));
  body += facts(report);
  body += "<h2>Verdicts</h2>\n<p class=\"soft\">Seeds by the verdict of their first run.</p>\n" +
          grid(report.cases);
  body += failures(report.cases, events);
  body += planted(report.cases);
  body += "<h2>Flushes by cause</h2>\n" + flush_table(report.cases);
  if (const std::string shapes = histograms(report.cases); !shapes.empty())
    body +=
        "<h2>Ages and durations</h2>\n<p class=\"soft\">In guest time; under emulation not that of "
        "hardware.</p>\n" +
        shapes;
  body += comparisons(report.cases);
  body += fmt::format("<h2>What was run</h2>\n<pre>{}</pre>\n", escaped(builds(report.cases)));
  return html::page(fmt::format("lufbed: {} {}", campaign.name, campaign.number), body);
}

}  // namespace luf::report
