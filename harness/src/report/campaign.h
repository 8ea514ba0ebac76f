// A campaign from the history, in the formats for people and machines.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "history/history.h"
#include "report/summary.h"

namespace luf::report {

/// A campaign and its runs.
struct CampaignReport {
  history::Campaign campaign;
  std::vector<history::Case> cases;
};

/// One summary a case, for the formats and the exit code that `run` has too: the verdict is that of the first attempt,
/// which no later one can better; the reason says how many of the attempts were not green.
std::vector<Summary> summaries_of(const CampaignReport& report);

/// A line for each campaign.
std::string to_table(const std::vector<history::Campaign>& campaigns);

/// Verdicts by scenario and column, then every case that is not green with the line that repeats it.
std::string to_table(const CampaignReport& report);

/// A line for each fingerprint of a violation.
std::string to_table(const std::vector<history::Sighting>& sightings);

/// KTAP, version 1.
std::string to_ktap(const CampaignReport& report);

/// The events of a run, as far as they are still there.
using EventsOf = std::function<std::vector<guest::Event>(const history::Run&)>;

/// One self-contained page: no script, nothing fetched. `events` is asked for the runs that were not green.
std::string to_html(const CampaignReport& report, const EventsOf& events);

/// How often cases that were not green at first were so again: of those repeated, the ones that were not so each time.
struct Flakes {
  std::size_t repeated = 0;
  std::size_t flaky = 0;
};
Flakes flakes_of(const std::vector<history::Case>& cases);

}  // namespace luf::report
