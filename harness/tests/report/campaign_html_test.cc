#include <gtest/gtest.h>

#include <regex>

#include "report/campaign.h"

namespace luf::report {
namespace {

guest::Event event(std::uint64_t milliseconds, nlohmann::json body) {
  guest::Event result;
  result.t_ns = milliseconds * 1'000'000;
  result.name = body.at("ev");
  result.body = std::move(body);
  return result;
}

/// A guest in which every detector had all the findings that a guest keeps, in each of three phases.
std::vector<guest::Event> worst_guest() {
  std::vector<guest::Event> events;
  for (const char* phase : {"one", "two", "three"}) {
    events.push_back(event(1000, {{"ev", "phase_start"}, {"phase", phase}}));
    for (int part = 0; part < 16; ++part) {
      const std::string name = "detector_" + std::to_string(part);
      events.push_back(event(1100, {{"ev", "part_start"}, {"phase", phase}, {"part", name}}));
      for (int i = 0; i < 8; ++i)
        events.push_back(event(1200, {{"ev", "finding"},
                                      {"part", name},
                                      {"rule", "R3"},
                                      {"detail", std::string(150, 'x')},
                                      {"at_ns", 6'500'000'000}}));
    }
    events.push_back(event(9000, {{"ev", "phase_end"}, {"phase", phase}}));
  }
  return events;
}

history::Case worst_case(int seed) {
  history::Run run;
  run.key = "k" + std::to_string(seed);
  run.scenario = "paths/one" + std::to_string(seed % 40);
  run.kernel = seed % 2 == 0 ? "off" : "on";
  run.build = "6.12.0-abc";
  run.points = "strict";
  run.cpus = 4;
  run.seed = seed;
  run.outcome = judge::Outcome::kFail;
  run.reason = "R3 violated: " + std::string(150, 'x');
  run.repro =
      "./lufbed run runs/one/" + std::to_string(seed) + "/scenario.toml --seed " + std::to_string(seed);
  for (int i = 0; i < 3 * 16 * 8; ++i)
    run.findings.push_back(
        {"R3", "detector_" + std::to_string(i % 16), std::string(150, 'x'), "f", "one", true, i});
  for (int i = 0; i < 24; ++i) {
    run.counters["luf_hist_age_us_" + std::to_string(1 << i)] = 12345678;
    run.counters["luf_flush_point_" + std::to_string(i)] = 12345678;
  }
  return {{run, run, run, run, run}};
}

TEST(CampaignPage, stays_small_when_all_of_200_guests_found_all_they_could) {
  CampaignReport report;
  for (int seed = 0; seed < 200; ++seed) report.cases.push_back(worst_case(seed));
  const std::vector<guest::Event> events = worst_guest();
  const std::string page = to_html(report, [&events](const history::Run&) { return events; });
  EXPECT_LE(page.size(), 5U << 20U);
  EXPECT_NE(page.find("<circle "), std::string::npos);
  EXPECT_NE(page.find("and 368 more in its run directory"), std::string::npos);
  for (const history::Case& one : report.cases)
    EXPECT_NE(page.find(one.first().repro + "</pre>"), std::string::npos) << one.first().repro;
}

TEST(CampaignPage, fetches_nothing_and_runs_nothing) {
  CampaignReport report;
  report.cases.push_back(worst_case(1));
  report.cases.back().attempts.front().reason = "<script src=\"http://example.org\"></script>";
  const std::string page = to_html(report, [](const history::Run&) { return worst_guest(); });
  EXPECT_FALSE(std::regex_search(page, std::regex("<script|<iframe|<img|@import|url\\(|(src|href)=\"[^d]")));
}

}  // namespace
}  // namespace luf::report
