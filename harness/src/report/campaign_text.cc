#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/units.h"
#include "report/campaign.h"
#include "report/columns.h"

namespace luf::report {
namespace {

using history::Case;
using history::Run;
using judge::Outcome;

std::string when(std::int64_t unix_seconds) {
  if (unix_seconds == 0) return "-";
  const auto time = static_cast<std::time_t>(unix_seconds);
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(time));
}

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds);
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

/// "3 pass, 1 fail", the bad ones first.
std::string tally(const std::vector<const Run*>& runs) {
  std::map<Outcome, int> counts;
  for (const Run* run : runs) ++counts[run->outcome];
  std::string text;
  for (const Outcome outcome : {Outcome::kFail, Outcome::kUnexpectedPass, Outcome::kInfra, Outcome::kVacuous,
                                Outcome::kSkip, Outcome::kKnownFailure, Outcome::kPass}) {
    if (counts.contains(outcome))
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts.at(outcome), to_string(outcome));
  }
  return text.empty() ? "-" : text;
}

std::string column_of(const Run& run) { return fmt::format("{} {} {}cpu", run.kernel, run.points, run.cpus); }

std::string grid(const std::vector<Case>& cases) {
  std::map<std::string, std::map<std::string, std::vector<const Run*>>> by_scenario;
  std::set<std::string> columns_seen;
  for (const Case& one : cases) {
    by_scenario[one.first().scenario][column_of(one.first())].push_back(&one.first());
    columns_seen.insert(column_of(one.first()));
  }
  std::vector<Row> rows{{"scenario"}};
  rows.front().insert(rows.front().end(), columns_seen.begin(), columns_seen.end());
  for (const auto& [scenario, by_column] : by_scenario) {
    Row& row = rows.emplace_back(Row{scenario});
    for (const std::string& column : columns_seen)
      row.push_back(by_column.contains(column) ? tally(by_column.at(column)) : "-");
  }
  return columns(rows);
}

std::string state_line(const history::Campaign& campaign) {
  switch (campaign.state) {
    case history::State::kFinished:
      return "every planned run has ended";
    case history::State::kOutOfTime:
      return "its budget is spent";
    case history::State::kInterrupted:
      return "interrupted; the same command goes on";
    case history::State::kRunning:
      return "running, or killed; the same command goes on";
  }
  return {};
}

}  // namespace

std::vector<Summary> summaries_of(const CampaignReport& report) {
  std::vector<Summary> summaries;
  for (const Case& one : report.cases) {
    const Run& run = one.first();
    Summary& summary = summaries.emplace_back();
    summary.scenario = one.title();
    summary.kernel = run.build;
    summary.accel = run.accel;
    summary.directory = run.directory;
    summary.verdict.outcome = run.outcome;
    summary.verdict.reason = run.reason;
    if (one.attempts.size() > 1)
      summary.verdict.reason +=
          fmt::format(" ({} of {} runs were not green)", one.bad(), one.attempts.size());
    if (run.is_bad() && !run.repro.empty()) summary.verdict.notes.push_back("again: " + run.repro);
    summary.loads = static_cast<std::uint64_t>(run.loads);
    summary.findings = run.findings.size();
    summary.seconds = run.seconds;
    summary.boot_seconds = run.boot_seconds;
    for (const auto& [name, value] : run.counters) {
      summary.counters[name] = static_cast<std::uint64_t>(value);
      if (name == "luf_deferred") summary.deferrals = static_cast<std::uint64_t>(value);
      if (is_flush_cause(name))
        summary.flushes[name.substr(kFlushPrefix.size())] = static_cast<std::uint64_t>(value);
    }
  }
  return summaries;
}

Flakes flakes_of(const std::vector<Case>& cases) {
  Flakes flakes;
  for (const Case& one : cases) {
    if (one.attempts.size() < 2) continue;
    ++flakes.repeated;
    if (one.bad() < one.attempts.size()) ++flakes.flaky;
  }
  return flakes;
}

std::string to_table(const std::vector<history::Campaign>& campaigns) {
  std::vector<Row> rows{{"#", "campaign", "id", "shard", "state", "started", "cases", "host time"}};
  for (const history::Campaign& campaign : campaigns)
    rows.push_back({std::to_string(campaign.number), campaign.name, campaign.id,
                    campaign.shard.empty() ? "-" : campaign.shard, std::string(to_string(campaign.state)),
                    when(campaign.started), std::to_string(campaign.planned), duration(campaign.spent)});
  return columns(rows);
}

std::string to_table(const CampaignReport& report) {
  const history::Campaign& campaign = report.campaign;
  std::string text =
      fmt::format("campaign {} ({}, id {}{}), started {}: {}\n\n", campaign.number, campaign.name,
                  campaign.id, campaign.shard.empty() ? "" : ", shard " + campaign.shard,
                  when(campaign.started), state_line(campaign));
  if (!report.cases.empty()) text += grid(report.cases) + "\n";
  for (const Case& one : report.cases) {
    if (!one.first().is_bad()) continue;
    text += fmt::format("{} {}: {}\n", to_string(one.first().outcome), one.title(), one.first().reason);
    if (one.attempts.size() > 1)
      text += fmt::format("    {} of {} runs were not green\n", one.bad(), one.attempts.size());
    if (!one.first().repro.empty()) text += fmt::format("    again: {}\n", one.first().repro);
  }
  std::size_t runs = 0;
  std::vector<const Run*> firsts;
  for (const Case& one : report.cases) {
    runs += one.attempts.size();
    firsts.push_back(&one.first());
  }
  text += fmt::format("{} of {} cases: {}; {} runs, {} of host time\n", report.cases.size(), campaign.planned,
                      tally(firsts), runs, duration(campaign.spent));
  const Flakes flakes = flakes_of(report.cases);
  if (flakes.repeated > 0)
    text += fmt::format("{} cases were repeated; {} of them did not come out the same each time\n",
                        flakes.repeated, flakes.flaky);
  if (campaign.guest_cpu > 0)
    text += fmt::format("CPU time: guests {:.1f} s, this program {:.1f} s ({:.2f} %)\n", campaign.guest_cpu,
                        campaign.harness_cpu, 100 * campaign.harness_cpu / campaign.guest_cpu);
  return text;
}

std::string to_table(const std::vector<history::Sighting>& sightings) {
  if (sightings.empty()) return "no violation in this history\n";
  std::vector<Row> rows{
      {"fingerprint", "rule", "part", "runs", "first campaign", "last campaign", "kernels"}};
  for (const history::Sighting& one : sightings)
    rows.push_back({one.fingerprint, one.rule, one.part, std::to_string(one.runs),
                    std::to_string(one.first_campaign), std::to_string(one.last_campaign), one.builds});
  return columns(rows);
}

std::string to_ktap(const CampaignReport& report) {
  std::string text = fmt::format("KTAP version 1\n1..{}\n", report.cases.size());
  std::size_t number = 0;
  for (const Case& one : report.cases) {
    const Run& run = one.first();
    for (const Run& attempt : one.attempts)
      text +=
          fmt::format("# attempt {}: {}: {}\n", attempt.attempt, to_string(attempt.outcome), attempt.reason);
    if (run.is_bad() && !run.repro.empty()) text += fmt::format("# again: {}\n", run.repro);
    // A '#' in a name would begin a directive.
    text += fmt::format("{} {} {}{}\n", run.is_bad() ? "not ok" : "ok", ++number, one.title(),
                        run.outcome == Outcome::kSkip ? " # SKIP " + run.reason : "");
  }
  return text;
}

}  // namespace luf::report
