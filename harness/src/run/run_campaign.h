// A campaign at work: guests one after the other, each kept in the history as soon as it has ended.
#pragma once

#include "report/summary.h"
#include "run/plan_campaign.h"

namespace luf::run {

/// What a campaign needs beside the environment. All outlive it.
struct CampaignWork {
  const Settings& settings;
  const std::vector<Planned>& plan;  ///< of this shard
  history::History& history;
  history::Campaign campaign;  ///< begun, perhaps in an earlier session
  std::int64_t repeats = 0;
  std::optional<Nanoseconds> budget;
};

/// Runs what is left of it, and says on standard error how each guest ended. At the end the history tells the state. A
/// guest that the user broke off is not kept. Errors: infra: no QEMU, or the history cannot be written, which stops it.
Task<Result<history::Campaign>> run_campaign(const Environment& environment, CampaignWork work);

/// What the history keeps of a guest.
history::Run to_run(const Planned& planned, std::int64_t attempt, const report::Summary& summary);

}  // namespace luf::run
