// From a campaign file to guests, and which of them comes next: pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/history.h"
#include "run/settings.h"
#include "scenario/campaign_file.h"

namespace luf::run {

/// A kernel of the campaign, found.
struct FoundKernel {
  scenario::CampaignKernel wanted;
  artifact::Kernel kernel;
};

/// One case: a scenario on a kernel with a set of flush points, a machine size and a seed.
struct Planned {
  std::string key;      ///< names the case in every campaign; not what the scenario or the kernel holds today
  std::string content;  ///< hash of just that
  std::string kernel;   ///< its name in the campaign file
  std::string build;
  Job job;
};

/// All cases, seed by seed, so that a budget that ends early has seen everything once. Errors: scenario, e.g. a machine
/// with fewer CPUs than nodes.
Result<std::vector<Planned>> plan_of(const scenario::CampaignFile& file, const std::vector<Job>& scenarios,
                                     const std::vector<FoundKernel>& kernels,
                                     const scenario::Catalog& catalog);

/// Names a plan: equal for equal cases.
std::string plan_hash(const std::vector<Planned>& plan);

/// "i/n", i from 1 to n.
struct Shard {
  std::uint64_t index = 1;
  std::uint64_t count = 1;
};
/// Errors: scenario.
Result<Shard> parse_shard(const std::string& text);
/// Leaves the cases of that shard. Which one has a case depends on its key only, so adding others moves none.
std::vector<Planned> cases_of_shard(std::vector<Planned> plan, const Shard& shard);

/// Runs still to do, the next one first: cases that were not green the last time, then cases that are new or whose
/// content is, then the rest; a case that turns out not to be green is repeated at once, to see how often.
class Schedule {
 public:
  /// `done` has ended in this campaign already; `last` is of earlier ones. `plan` outlives this.
  Schedule(const std::vector<Planned>& plan, const std::map<std::string, history::Last>& last,
           const std::vector<history::Run>& done, std::int64_t repeats);

  /// Index in the plan and attempt.
  struct Turn {
    std::size_t planned = 0;
    std::int64_t attempt = 1;
  };
  std::optional<Turn> next();
  void ended(const Turn& turn, bool bad);
  std::size_t left() const { return turns_.size(); }

 private:
  std::int64_t repeats_;
  std::vector<Turn> turns_;  ///< the next one last
};

}  // namespace luf::run
