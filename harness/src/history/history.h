// The history of campaigns: one SQLite file that outlives kills, full disks and clocks that jump (docs/campaign.md).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "history/database.h"
#include "history/record.h"

namespace luf::history {

/// How a case ended the last time it ran, in any campaign.
struct Last {
  std::string content;
  bool bad = false;
};

/// A finding's fingerprint over the whole history.
struct Sighting {
  std::string fingerprint;
  std::string rule;
  std::string part;
  std::int64_t runs = 0;
  std::int64_t first_campaign = 0;
  std::int64_t last_campaign = 0;
  std::string builds;  ///< kernels it was seen on, separated by commas
};

/// The sum of a number over all runs of campaigns of one name on kernels of one name.
struct Total {
  std::string campaign;
  std::string kernel;
  std::string name;
  double value = 0;
};

/// Every call leaves the file whole: it is done, or nothing of it is. Thread: one.
class History {
 public:
  /// Errors: infra, one line: damaged, of a newer lufbed; scenario: not there, unless `create`.
  static Result<History> open(const std::filesystem::path& file, bool create);

  /// Sets `campaign.number`. Errors: infra, as for all below.
  Result<void> begin(Campaign& campaign);
  /// Adds a run and what the campaign has spent by then, as one step. A run that is there already is refused.
  Result<void> add(const Campaign& campaign, const Run& run);
  Result<void> set_state(const Campaign& campaign);

  /// From the first to the last.
  Result<std::vector<Campaign>> campaigns();
  Result<std::vector<Run>> runs(std::int64_t campaign);
  /// By key.
  Result<std::map<std::string, Last>> last_runs();
  /// Violations only, the ones seen last first.
  Result<std::vector<Sighting>> sightings();

  Result<std::vector<Total>> totals_of_counters();
  /// Names are verdicts.
  Result<std::vector<Total>> totals_of_runs();
  /// Names are rules.
  Result<std::vector<Total>> totals_of_violations();
  Result<std::vector<Total>> total_loads();

  /// Adds what `other` has and this one has not; shards of one campaign become one. Returns the number of runs added.
  Result<std::int64_t> merge(History& other);

 private:
  explicit History(Database database) : database_(std::move(database)) {}
  Result<void> make_tables();
  Result<void> insert(std::int64_t campaign, const Run& run);
  Result<void> read_details(std::int64_t campaign,
                            std::map<std::pair<std::string, std::int64_t>, Run*>& runs);
  Result<std::vector<Total>> totals(std::string_view sql);
  Result<std::int64_t> merge_one(History& other, const Campaign& theirs, const std::vector<Campaign>& ours);

  Database database_;
};

/// Holds a history for one campaign while it lives, also against other programs; the kernel lets go of it when this
/// program dies. Errors: infra, one line that names the process that has it.
class Hold {
 public:
  static Result<Hold> take(const std::filesystem::path& file);
  Hold(Hold&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Hold& operator=(Hold&&) = delete;
  ~Hold();

 private:
  explicit Hold(int fd) : fd_(fd) {}
  int fd_;
};

/// The campaign that a user names: its number, its id, "last", or "last-N". Errors: scenario; infra.
Result<Campaign> find_campaign(History& history, const std::string& name);

}  // namespace luf::history
