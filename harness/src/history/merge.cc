#include <algorithm>
#include <set>

#include "history/history.h"

namespace luf::history {
namespace {

/// What is left to say of shards that have become one.
Campaign joined(Campaign ours, const Campaign& theirs) {
  if (ours.shard != theirs.shard) {
    ours.planned += theirs.planned;
    ours.shard = fmt::format("{}+{}", ours.shard, theirs.shard);
    ours.spent += theirs.spent;
    ours.harness_cpu += theirs.harness_cpu;
    ours.guest_cpu += theirs.guest_cpu;
  } else {
    ours.spent = std::max(ours.spent, theirs.spent);
    ours.harness_cpu = std::max(ours.harness_cpu, theirs.harness_cpu);
    ours.guest_cpu = std::max(ours.guest_cpu, theirs.guest_cpu);
  }
  ours.started = std::min(ours.started, theirs.started);
  ours.ended = std::max(ours.ended, theirs.ended);
  if (theirs.state != State::kFinished) ours.state = theirs.state;
  return ours;
}

bool holds_shard(const Campaign& ours, const std::string& shard) {
  return ("+" + ours.shard + "+").find("+" + shard + "+") != std::string::npos;
}

}  // namespace

Result<std::int64_t> History::merge_one(History& other, const Campaign& theirs,
                                        const std::vector<Campaign>& ours) {
  const Result<std::vector<Run>> runs = other.runs(theirs.number);
  if (!runs) return pass_on(runs);
  const auto same =
      std::find_if(ours.begin(), ours.end(), [&theirs](const Campaign& one) { return one.id == theirs.id; });
  Campaign campaign = theirs;
  if (same == ours.end()) {
    if (const Result<void> begun = begin(campaign); !begun) return pass_on(begun);
  } else {
    if (same->plan != theirs.plan)
      return fail(Blame::kScenario,
                  "campaign {} is of another plan in each history; give each an id of its own", theirs.id);
    campaign = holds_shard(*same, theirs.shard) ? *same : joined(*same, theirs);
  }
  const Result<std::vector<Run>> present = this->runs(campaign.number);
  if (!present) return pass_on(present);
  std::set<std::pair<std::string, std::int64_t>> there;
  for (const Run& run : *present) there.insert({run.key, run.attempt});
  Transaction transaction(database_);
  std::int64_t added = 0;
  for (const Run& run : *runs) {
    if (there.contains({run.key, run.attempt})) continue;
    if (const Result<void> inserted = insert(campaign.number, run); !inserted) return pass_on(inserted);
    ++added;
  }
  Statement update(
      database_,
      "UPDATE campaign SET shard = ?, state = ?, planned = ?, started = ?, ended = ?, spent = ?, "
      "harness_cpu = ?, guest_cpu = ? WHERE number = ?");
  update.bind(campaign.shard).bind(to_string(campaign.state)).bind(campaign.planned).bind(campaign.started);
  update.bind(campaign.ended).bind(campaign.spent).bind(campaign.harness_cpu).bind(campaign.guest_cpu);
  if (const Result<void> updated = update.bind(campaign.number).run(); !updated) return pass_on(updated);
  if (const Result<void> done = transaction.commit(); !done) return pass_on(done);
  return added;
}

Result<std::int64_t> History::merge(History& other) {
  const Result<std::vector<Campaign>> theirs = other.campaigns();
  if (!theirs) return pass_on(theirs);
  std::int64_t added = 0;
  for (const Campaign& campaign : *theirs) {
    const Result<std::vector<Campaign>> ours = campaigns();
    if (!ours) return pass_on(ours);
    const Result<std::int64_t> more = merge_one(other, campaign, *ours);
    if (!more) return more;
    added += *more;
  }
  return added;
}

}  // namespace luf::history
