#include "report/families.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/usage.h"
#include "protocol/contract.h"
#include "report/campaign.h"

namespace luf::report {
namespace {

using history::Total;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr std::string_view kRefused = "luf_refused_";
constexpr double kMicrosecond = 1e-6;

ClientMetric metric(Labels labels, MetricType type, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return metric;
}

/// A family in the making.
class Family {
 public:
  Family(MetricType type, std::string name, std::string help) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }
  void add(Labels labels, double value) {
    family_.metric.push_back(metric(std::move(labels), family_.type, value));
  }
  /// Rows whose name begins with `prefix`, the rest of it as the label.
  Family& take(const std::vector<Total>& totals, const std::string& label, std::string_view prefix) {
    for (const Total& total : totals) {
      if (!total.name.starts_with(prefix)) continue;
      Labels labels{{"campaign", total.campaign}, {"kernel", total.kernel}};
      if (!label.empty()) labels.push_back({label, total.name.substr(prefix.size())});
      add(std::move(labels), total.value);
    }
    return *this;
  }
  /// The sum of the rows of these names; 0 where a kernel has none, so that a first one is an increase.
  Family& sum(const std::vector<Total>& totals, const std::vector<Total>& kernels,
              const std::set<std::string>& names) {
    for (const Total& of : kernels) {
      double value = 0;
      for (const Total& total : totals) {
        if (total.campaign == of.campaign && total.kernel == of.kernel && names.contains(total.name))
          value += total.value;
      }
      add({{"campaign", of.campaign}, {"kernel", of.kernel}}, value);
    }
    return *this;
  }
  MetricFamily done() const { return family_; }

 private:
  MetricFamily family_;
};

/// The kernel keeps no sums: every observation counts as its bucket's upper bound.
ClientMetric histogram(Labels labels, const std::map<double, double>& counts) {
  ClientMetric metric;
  metric.label = std::move(labels);
  double sum = 0;
  std::uint64_t cumulative = 0;
  for (int exponent = 0; exponent <= 24; exponent += 2) {
    const double bound = std::ldexp(kMicrosecond, exponent);
    cumulative = 0;
    for (const auto& [upper, count] : counts)
      if (upper <= bound * (1 + 1e-9)) cumulative += static_cast<std::uint64_t>(count);
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  std::uint64_t all = 0;
  for (const auto& [upper, count] : counts) {
    sum += upper * count;
    all += static_cast<std::uint64_t>(count);
  }
  metric.histogram.bucket.push_back({all, std::numeric_limits<double>::infinity()});
  metric.histogram.sample_count = all;
  metric.histogram.sample_sum = sum;
  return metric;
}

MetricFamily histograms(const std::vector<Total>& totals, std::string_view prefix, const std::string& name,
                        const std::string& help) {
  std::map<std::pair<std::string, std::string>, std::map<double, double>> counts;
  for (const Total& total : totals) {
    if (total.name.starts_with(prefix))
      counts[{total.campaign, total.kernel}][std::stod(total.name.substr(prefix.size())) * kMicrosecond] =
          total.value;
  }
  MetricFamily family;
  family.name = name;
  family.help = help + "; the sum takes each at the upper bound of its power of two.";
  family.type = MetricType::Histogram;
  for (const auto& [of, by_bound] : counts)
    family.metric.push_back(histogram({{"campaign", of.first}, {"kernel", of.second}}, by_bound));
  return family;
}

void add_counters(const std::vector<Total>& counters, const std::vector<Total>& kernels,
                  std::vector<MetricFamily>& families) {
  const auto counter = [](const char* name, const char* help) {
    return Family(MetricType::Counter, name, help);
  };
  families.push_back(counter("lufbed_flushes_total", "Flushes of deferred entries, by flush point.")
                         .take(counters, "cause", kFlushPrefix)
                         .done());
  families.push_back(counter("lufbed_refusals_total", "Flushes that were not deferred, by reason.")
                         .take(counters, "reason", kRefused)
                         .done());
  families.push_back(
      counter("lufbed_deferrals_total", "Flushes deferred.").sum(counters, kernels, {"luf_deferred"}).done());
  families.push_back(
      counter("lufbed_shootdown_ipis_received_total", "TLB shootdown IPIs that CPUs of guests received.")
          .sum(counters, kernels, {"ipi_tlb"})
          .done());
  families.push_back(counter("lufbed_remote_flushes_total", "Flushes that CPUs of guests asked of others.")
                         .sum(counters, kernels, {"nr_tlb_remote_flush"})
                         .done());
  families.push_back(counter("lufbed_unmapped_pages_total", "Pages reclaimed or migrated.")
                         .sum(counters, kernels, {"pgsteal_anon", "pgsteal_file", "pgmigrate_success"})
                         .done());
  families.push_back(histograms(counters, "luf_hist_age_us_", "lufbed_deferral_age_seconds",
                                "Age of deferrals when they were flushed, in guest time"));
  families.push_back(histograms(counters, "luf_hist_flush_us_", "lufbed_flush_duration_seconds",
                                "Duration of flushes, in guest time"));
}

/// The last campaign of each name.
std::map<std::string, history::Campaign> latest(const std::vector<history::Campaign>& campaigns) {
  std::map<std::string, history::Campaign> last;
  for (const history::Campaign& campaign : campaigns) last[campaign.name] = campaign;
  return last;
}

/// Gauges of one campaign, by kernel.
struct Shape {
  std::int64_t pending = 0;
  std::int64_t age_us = 0;
  double boot = 0;
  std::int64_t boots = 0;
};

std::int64_t gauge_in(const history::Run& run, const char* name) {
  const auto found = run.gauges.find(name);
  return found == run.gauges.end() ? 0 : found->second;
}

struct LastCampaigns {
  Family runs{MetricType::Gauge, "lufbed_campaign_cases",
              "Cases of the last campaign of that name, by verdict."};
  Family planned{MetricType::Gauge, "lufbed_campaign_planned_cases",
                 "Cases that the last campaign has planned."};
  Family active{MetricType::Gauge, "lufbed_campaign_running", "1: the last campaign has not ended."};
  Family ended{MetricType::Gauge, "lufbed_campaign_last_run_timestamp_seconds", "When its last run ended."};
  Family spent{MetricType::Gauge, "lufbed_campaign_spent_seconds", "Host time that it has worked."};
  Family repeated{MetricType::Gauge, "lufbed_campaign_repeated_cases",
                  "Cases repeated because they were not green."};
  Family flaky{MetricType::Gauge, "lufbed_campaign_flaky_cases",
               "Of those, the ones that did not come out the same."};
  Family flakes{MetricType::Gauge, "lufbed_campaign_flake_ratio", "Flaky cases to all that have run."};
  Family pace{MetricType::Gauge, "lufbed_campaign_seeds_per_minute",
              "Guests that ended in a minute at work."};
  Family pending{MetricType::Gauge, "lufbed_pending_pages_max",
                 "Most frames pending at a time in the last campaign."};
  Family age{MetricType::Gauge, "lufbed_deferral_age_max_seconds",
             "Oldest deferral in the last campaign, guest time."};
  Family boot{MetricType::Gauge, "lufbed_boot_seconds",
              "Mean guest time to the first event in the last campaign."};

  void add(const history::Campaign& campaign, const std::vector<history::Case>& cases) {
    const std::string& name = campaign.name;
    std::map<std::string, std::map<std::string, int>> verdicts;
    std::map<std::string, Shape> shapes;
    std::size_t guests = 0;
    for (const history::Case& one : cases) {
      guests += one.attempts.size();
      const history::Run& run = one.first();
      ++verdicts[run.kernel][std::string(to_string(run.outcome))];
      Shape& shape = shapes[run.kernel];
      shape.pending = std::max(shape.pending, gauge_in(run, "luf_pending_max"));
      shape.age_us = std::max(shape.age_us, gauge_in(run, "luf_age_max_us"));
      shape.boot += run.boot_seconds;
      shape.boots += run.boot_seconds > 0 ? 1 : 0;
    }
    for (const auto& [kernel, counts] : verdicts) {
      for (const char* verdict :
           {"pass", "fail", "known_failure", "unexpected_pass", "skip", "vacuous", "infra"}) {
        const auto found = counts.find(verdict);
        runs.add({{"campaign", name}, {"kernel", kernel}, {"verdict", verdict}},
                 found == counts.end() ? 0 : found->second);
      }
    }
    for (const auto& [kernel, shape] : shapes) {
      const Labels labels{{"campaign", name}, {"kernel", kernel}};
      pending.add(labels, static_cast<double>(shape.pending));
      age.add(labels, static_cast<double>(shape.age_us) * kMicrosecond);
      if (shape.boots > 0) boot.add(labels, shape.boot / static_cast<double>(shape.boots));
    }
    planned.add({{"campaign", name}}, static_cast<double>(campaign.planned));
    active.add({{"campaign", name}}, campaign.state == history::State::kRunning ? 1 : 0);
    ended.add({{"campaign", name}}, static_cast<double>(campaign.ended));
    spent.add({{"campaign", name}}, campaign.spent);
    const Flakes seen = flakes_of(cases);
    repeated.add({{"campaign", name}}, static_cast<double>(seen.repeated));
    flaky.add({{"campaign", name}}, static_cast<double>(seen.flaky));
    if (!cases.empty())
      flakes.add({{"campaign", name}}, static_cast<double>(seen.flaky) / static_cast<double>(cases.size()));
    if (campaign.spent > 0) pace.add({{"campaign", name}}, 60 * static_cast<double>(guests) / campaign.spent);
  }

  void move_to(std::vector<MetricFamily>& families) const {
    for (const Family* family :
         {&runs, &planned, &active, &ended, &spent, &repeated, &flaky, &flakes, &pace, &pending, &age, &boot})
      families.push_back(family->done());
  }
};

void add_harness(const std::vector<history::Campaign>& campaigns, const std::filesystem::path& file,
                 std::vector<MetricFamily>& families) {
  std::map<std::string, std::pair<double, double>> cpu;
  for (const history::Campaign& campaign : campaigns) {
    cpu[campaign.name].first += campaign.harness_cpu;
    cpu[campaign.name].second += campaign.guest_cpu;
  }
  Family harness(MetricType::Counter, "lufbed_harness_cpu_seconds_total",
                 "CPU time of lufbed itself in campaigns.");
  Family guests(MetricType::Counter, "lufbed_guest_cpu_seconds_total", "CPU time of the QEMUs of campaigns.");
  for (const auto& [name, seconds] : cpu) {
    harness.add({{"campaign", name}}, seconds.first);
    guests.add({{"campaign", name}}, seconds.second);
  }
  families.push_back(harness.done());
  families.push_back(guests.done());
  std::error_code ignored;
  Family bytes(MetricType::Gauge, "lufbed_history_bytes", "Size of the history.");
  bytes.add({}, static_cast<double>(std::filesystem::file_size(file, ignored)));
  families.push_back(bytes.done());
}

/// Rules that were kept show as 0, so that a first violation is an increase.
Family violations(const std::vector<Total>& seen, const std::vector<Total>& loads) {
  Family family(MetricType::Counter, "lufbed_violations_total",
                "Findings that the contract forbids, by rule.");
  for (const Total& of : loads) {
    for (const protocol::Rule& rule : protocol::kRules) {
      const auto found = std::find_if(seen.begin(), seen.end(), [&](const Total& total) {
        return total.campaign == of.campaign && total.kernel == of.kernel && total.name == rule.id;
      });
      family.add({{"campaign", of.campaign}, {"kernel", of.kernel}, {"rule", std::string(rule.id)}},
                 found == seen.end() ? 0 : found->value);
    }
  }
  return family;
}

}  // namespace

Result<std::vector<MetricFamily>> families_of(const std::filesystem::path& file) {
  Result<history::History> history = history::History::open(file, false);
  if (!history) return pass_on(history);
  const Result<std::vector<Total>> runs = history->totals_of_runs();
  if (!runs) return pass_on(runs);
  const Result<std::vector<Total>> seen = history->totals_of_violations();
  if (!seen) return pass_on(seen);
  const Result<std::vector<Total>> loads = history->total_loads();
  if (!loads) return pass_on(loads);
  const Result<std::vector<Total>> counters = history->totals_of_counters();
  if (!counters) return pass_on(counters);
  const Result<std::vector<history::Campaign>> campaigns = history->campaigns();
  if (!campaigns) return pass_on(campaigns);
  std::vector<MetricFamily> families;
  families.push_back(Family(MetricType::Counter, "lufbed_runs_total", "Guests that ended, by verdict.")
                         .take(*runs, "verdict", "")
                         .done());
  families.push_back(violations(*seen, *loads).done());
  families.push_back(
      Family(MetricType::Counter, "lufbed_loads_checked_total", "Loads that detectors checked.")
          .sum(*loads, *loads, {""})
          .done());
  add_counters(*counters, *loads, families);
  LastCampaigns last;
  for (const auto& [name, campaign] : latest(*campaigns)) {
    const Result<std::vector<history::Run>> of_campaign = history->runs(campaign.number);
    if (!of_campaign) return pass_on(of_campaign);
    last.add(campaign, history::cases_of(*of_campaign));
  }
  last.move_to(families);
  add_harness(*campaigns, file, families);
  std::erase_if(families, [](const MetricFamily& family) { return family.metric.empty(); });
  return families;
}

std::vector<MetricFamily> HistoryMetrics::Collect() const {
  Result<std::vector<MetricFamily>> read = families_of(history_);
  std::vector<MetricFamily> families;
  if (read) families = *std::move(read);
  Family up(MetricType::Gauge, "lufbed_history_up", "1: the history could be read.");
  up.add({}, read ? 1 : 0);
  families.push_back(up.done());
  Family cpu(MetricType::Counter, "process_cpu_seconds_total", "CPU time of this process.");
  cpu.add({}, own_cpu_seconds());
  families.push_back(cpu.done());
  return families;
}

}  // namespace luf::report
