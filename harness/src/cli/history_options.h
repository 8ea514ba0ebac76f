// What the subcommands around the history of campaigns share.
#pragma once

#include "cli/command.h"
#include "history/history.h"
#include "report/campaign.h"

namespace luf::cli {

/// `--history FILE`
struct HistoryOption {
  std::string file = "history.db";
  void add_to(CLI::App& command);
  /// One that is there. Errors: infra; scenario.
  Result<history::History> open() const { return history::History::open(file, false); }
};

/// Errors: infra.
Result<report::CampaignReport> load_report(history::History& history, const history::Campaign& campaign);

/// Writes `text` to `path` unless that is empty; the exit code of a failure, else 0.
int write_output(const std::string& path, const std::string& text);

}  // namespace luf::cli
