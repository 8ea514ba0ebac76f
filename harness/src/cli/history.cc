#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "cli/history_options.h"
#include "report/compare.h"
#include "run/record.h"

namespace luf::cli {

void HistoryOption::add_to(CLI::App& command) {
  command.add_option("--history", file, "The file that holds the history")->capture_default_str();
}

Result<report::CampaignReport> load_report(history::History& history, const history::Campaign& campaign) {
  const Result<std::vector<history::Run>> runs = history.runs(campaign.number);
  if (!runs) return pass_on(runs);
  return report::CampaignReport{campaign, history::cases_of(*runs)};
}

int write_output(const std::string& path, const std::string& text) {
  if (path.empty()) return 0;
  const Result<void> done = write_file(path, text);
  return done ? 0 : report_error(done.error());
}

namespace {

struct ShowOptions {
  HistoryOption history;
  std::string campaign;
  std::string html, junit, ktap, json;
  bool findings = false;
};

int write_all(const ShowOptions& options, const report::CampaignReport& report) {
  const std::vector<report::Summary> summaries = report::summaries_of(report);
  int code = write_output(options.html, report::to_html(report, [](const history::Run& run) {
                            return run::events_in(run.directory).value_or(std::vector<guest::Event>{});
                          }));
  if (code == 0) code = write_output(options.junit, report::to_junit(summaries));
  if (code == 0) code = write_output(options.ktap, report::to_ktap(report));
  if (code == 0) code = write_output(options.json, report::to_json(summaries));
  return code;
}

int show(const ShowOptions& options) {
  Result<history::History> history = options.history.open();
  if (!history) return report_error(history.error());
  if (options.findings) {
    const Result<std::vector<history::Sighting>> sightings = history->sightings();
    if (!sightings) return report_error(sightings.error());
    fmt::print("{}", report::to_table(*sightings));
    return 0;
  }
  const bool writes =
      !options.html.empty() || !options.junit.empty() || !options.ktap.empty() || !options.json.empty();
  if (options.campaign.empty() && !writes) {
    const Result<std::vector<history::Campaign>> campaigns = history->campaigns();
    if (!campaigns) return report_error(campaigns.error());
    fmt::print("{}", report::to_table(*campaigns));
    return 0;
  }
  const Result<history::Campaign> campaign =
      history::find_campaign(*history, options.campaign.empty() ? "last" : options.campaign);
  if (!campaign) return report_error(campaign.error());
  const Result<report::CampaignReport> report = load_report(*history, *campaign);
  if (!report) return report_error(report.error());
  if (writes) return write_all(options, *report);
  fmt::print("{}", report::to_table(*report));
  return 0;
}

struct CompareOptions {
  HistoryOption history;
  std::string a, b;
};

/// "CAMPAIGN" or "CAMPAIGN:KERNEL". Errors: scenario; infra.
Result<report::Side> load_side(history::History& history, const std::string& name) {
  const std::size_t colon = name.find(':');
  const Result<history::Campaign> campaign = history::find_campaign(history, name.substr(0, colon));
  if (!campaign) return pass_on(campaign);
  Result<report::CampaignReport> report = load_report(history, *campaign);
  if (!report) return pass_on(report);
  report::Side side{fmt::format("campaign {} ({}, id {})", campaign->number, campaign->name, campaign->id),
                    {}};
  if (colon == std::string::npos) {
    side.cases = std::move(report->cases);
    return side;
  }
  const std::string kernel = name.substr(colon + 1);
  for (history::Case& one : report->cases) {
    if (one.first().kernel == kernel) side.cases.push_back(std::move(one));
  }
  if (side.cases.empty())
    return fail(Blame::kScenario, "campaign {} ran no kernel \"{}\"", campaign->number, kernel);
  side.name += fmt::format(", kernel {} ({})", kernel, side.cases.front().first().build);
  return side;
}

int compare(const CompareOptions& options) {
  Result<history::History> history = options.history.open();
  if (!history) return report_error(history.error());
  const Result<report::Side> a = load_side(*history, options.a);
  if (!a) return report_error(a.error());
  const Result<report::Side> b = load_side(*history, options.b);
  if (!b) return report_error(b.error());
  const report::Comparison comparison = report::compare(*a, *b);
  fmt::print("{}", report::to_table(comparison));
  if (comparison.verdicts.empty()) return kExitInfra;
  return report::is_regression(comparison) ? 1 : 0;
}

struct MergeOptions {
  HistoryOption history;
  std::vector<std::string> others;
};

int merge(const MergeOptions& options) {
  const Result<history::Hold> hold = history::Hold::take(options.history.file);
  if (!hold) return report_error(hold.error());
  Result<history::History> history = history::History::open(options.history.file, true);
  if (!history) return report_error(history.error());
  for (const std::string& file : options.others) {
    Result<history::History> other = history::History::open(file, false);
    if (!other) return report_error(other.error());
    const Result<std::int64_t> added = history->merge(*other);
    if (!added) return report_error(added.error());
    fmt::print("{}: {} runs added\n", file, *added);
  }
  return 0;
}

}  // namespace

void add_history(CLI::App& app, Action& action) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command = app.add_subcommand("history", "Show past campaigns, or write reports of one");
  command->add_option("campaign", options->campaign, "Its number or id, last, or last-1; none: list all");
  options->history.add_to(*command);
  command->add_option("--html", options->html, "Write a page about it");
  command->add_option("--junit", options->junit, "Write it as JUnit XML");
  command->add_option("--ktap", options->ktap, "Write it as KTAP");
  command->add_option("--json", options->json, "Write it as JSON");
  command->add_flag("--findings", options->findings,
                    "List violations of all campaigns by fingerprint: first seen, last seen, kernels");
  command->callback([options, &action] { action = [options] { return show(*options); }; });
}

void add_compare(CLI::App& app, Action& action) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command =
      app.add_subcommand("compare", "Compare verdicts and counts of two campaigns, or of two kernels in one");
  command->add_option("a", options->a, "CAMPAIGN or CAMPAIGN:KERNEL, e.g. last-1, or last:off")->required();
  command->add_option("b", options->b, "The same, e.g. last, or last:on")->required();
  options->history.add_to(*command);
  command->callback([options, &action] { action = [options] { return compare(*options); }; });
}

void add_merge(CLI::App& app, Action& action) {
  auto options = std::make_shared<MergeOptions>();
  CLI::App* command =
      app.add_subcommand("merge", "Add what other histories hold; shards of a campaign become one");
  command->add_option("others", options->others, "Files of other histories; they are only read")->required();
  options->history.add_to(*command);
  command->callback([options, &action] { action = [options] { return merge(*options); }; });
}

}  // namespace luf::cli
