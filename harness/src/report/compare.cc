#include "report/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/stats.h"

namespace luf::report {
namespace {

using history::Run;

constexpr const char* kPages[] = {"pgsteal_anon", "pgsteal_file", "pgmigrate_success"};

struct Count {
  const char* counter;
  const char* title;
};
constexpr Count kCounts[] = {{"ipi_tlb", "shootdown IPIs received"},
                             {"nr_tlb_remote_flush", "flushes asked of other CPUs"},
                             {"nr_tlb_local_flush_all", "full flushes of a CPU's own TLB"},
                             {"luf_flushes", "late flushes"}};

double count_in(const Run& run, const std::string& counter) {
  const auto found = run.counters.find(counter);
  return found == run.counters.end() ? 0 : static_cast<double>(found->second);
}

double pages_of(const Run& run) {
  double pages = 0;
  for (const char* counter : kPages) pages += count_in(run, counter);
  return pages;
}

/// First attempts that came to an end, by what they have in common on both sides.
std::map<std::string, std::vector<const Run*>> groups_of(const Side& side) {
  std::map<std::string, std::vector<const Run*>> groups;
  for (const history::Case& one : side.cases) {
    const Run& run = one.first();
    if (run.outcome == judge::Outcome::kSkip || run.outcome == judge::Outcome::kInfra) continue;
    groups[fmt::format("{} · {} · {} CPUs", run.scenario, run.points, run.cpus)].push_back(&run);
  }
  return groups;
}

std::int64_t bad_among(const std::vector<const Run*>& runs) {
  return std::count_if(runs.begin(), runs.end(), [](const Run* run) { return run->is_bad(); });
}

std::vector<double> rates_of(const std::vector<const Run*>& runs, const std::string& counter) {
  std::vector<double> rates;
  for (const Run* run : runs) {
    if (const double pages = pages_of(*run); pages > 0) rates.push_back(count_in(*run, counter) / pages);
  }
  return rates;
}

template <typename Difference>
void correct(std::vector<Difference>& rows) {
  std::vector<double> p;
  for (const Difference& row : rows) p.push_back(row.p);
  p = holm(p);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].p = p[i];
}

std::string number(double value) {
  return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

std::string spread(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return fmt::format("{} ({} to {})", number(median(values)), number(*low), number(*high));
}

std::string probability(double p) { return p < 0.0001 ? "< 0.0001" : fmt::format("{:.4f}", p); }

std::string change_text(const CountDifference& row) {
  return median(row.a) == 0 ? "-" : fmt::format("{:+.1f} %", row.change());
}

}  // namespace

double CountDifference::change() const { return 100 * (median(b) / median(a) - 1); }

std::string CountDifference::verdict() const {
  if (p >= kSignificance) return "no difference shown";
  const double before = median(a);
  const double after = median(b);
  if (after == before) return "differs, with equal medians";
  return after < before ? "fewer" : "more";
}

Comparison compare(const Side& a, const Side& b) {
  Comparison comparison{a.name, b.name, {}, {}};
  const auto groups_b = groups_of(b);
  for (const auto& [what, runs_a] : groups_of(a)) {
    const auto found = groups_b.find(what);
    if (found == groups_b.end()) continue;
    const std::vector<const Run*>& runs_b = found->second;
    VerdictDifference& verdict = comparison.verdicts.emplace_back();
    verdict.what = what;
    verdict.n_a = static_cast<std::int64_t>(runs_a.size());
    verdict.n_b = static_cast<std::int64_t>(runs_b.size());
    verdict.bad_a = bad_among(runs_a);
    verdict.bad_b = bad_among(runs_b);
    verdict.p = fisher(verdict.bad_a, verdict.n_a, verdict.bad_b, verdict.n_b);
    for (const Count& count : kCounts) {
      CountDifference row{fmt::format("{} · {}", what, count.title), rates_of(runs_a, count.counter),
                          rates_of(runs_b, count.counter)};
      const auto any = [](const std::vector<double>& values) {
        return std::any_of(values.begin(), values.end(), [](double value) { return value > 0; });
      };
      if (row.a.empty() || row.b.empty() || (!any(row.a) && !any(row.b))) continue;
      row.p = rank_sum(row.a, row.b);
      comparison.counts.push_back(std::move(row));
    }
  }
  correct(comparison.verdicts);
  correct(comparison.counts);
  std::stable_sort(comparison.counts.begin(), comparison.counts.end(),
                   [](const CountDifference& x, const CountDifference& y) {
                     return (x.verdict() == "more") > (y.verdict() == "more");
                   });
  return comparison;
}

std::vector<Row> verdict_rows(const Comparison& comparison) {
  std::vector<Row> rows{{"not green", "A", "B", "p", "B against A"}};
  for (const VerdictDifference& row : comparison.verdicts) {
    const bool shown = row.p < kSignificance;
    const bool worse = row.bad_b * row.n_a > row.bad_a * row.n_b;
    rows.push_back({row.what, fmt::format("{} of {}", row.bad_a, row.n_a),
                    fmt::format("{} of {}", row.bad_b, row.n_b), probability(row.p),
                    !shown  ? "no difference shown"
                    : worse ? "worse"
                            : "better"});
  }
  return rows;
}

std::vector<Row> count_rows(const Comparison& comparison) {
  std::vector<Row> rows{{"per page reclaimed or migrated", "n", "A: median (min to max)",
                         "B: median (min to max)", "change", "p", "B has"}};
  for (const CountDifference& row : comparison.counts)
    rows.push_back({row.what, fmt::format("{}, {}", row.a.size(), row.b.size()), spread(row.a), spread(row.b),
                    change_text(row), probability(row.p), row.verdict()});
  return rows;
}

std::string method() {
  return fmt::format(
      "Verdicts: Fisher's exact test, two-sided, on first attempts; skipped runs and those that broke off "
      "are left "
      "out. Counts: the rank-sum test, two-sided, exact up to 200 000 divisions, on counts per page that "
      "each run "
      "reclaimed or migrated; fewer is better. p is corrected for the rows of its table by Holm's method; "
      "below {} a "
      "difference counts as shown. Times of emulated guests are not compared.",
      kSignificance);
}

std::string to_table(const Comparison& comparison) {
  std::string text = fmt::format("A: {}\nB: {}\n\n", comparison.a, comparison.b);
  if (comparison.verdicts.empty()) return text + "they ran nothing in common\n";
  text += columns(verdict_rows(comparison)) + "\n";
  if (!comparison.counts.empty()) text += columns(count_rows(comparison)) + "\n";
  return text + method() + "\n";
}

bool is_regression(const Comparison& comparison) {
  return std::any_of(comparison.verdicts.begin(), comparison.verdicts.end(),
                     [](const VerdictDifference& row) {
                       return row.p < kSignificance && row.bad_b * row.n_a > row.bad_a * row.n_b;
                     });
}

}  // namespace luf::report
