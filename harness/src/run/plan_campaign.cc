#include "run/plan_campaign.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/sha256.h"
#include "scenario/parse.h"

namespace luf::run {
namespace {

constexpr std::size_t kShortHash = 16;

std::string short_hash(const std::string& text) { return sha256(text).substr(0, kShortHash); }

std::string build_of(const artifact::Kernel& kernel) {
  return kernel.hash.empty() ? kernel.release : kernel.release + "-" + kernel.hash;
}

/// What the column asks for. With LUF off no deferral can be expected.
void set_kernel(const scenario::CampaignKernel& wanted, scenario::Scenario& scenario) {
  if (wanted.luf != "as-is") scenario.kernel.luf = wanted.luf;
  if (!wanted.append.empty())
    scenario.kernel.cmdline += (scenario.kernel.cmdline.empty() ? "" : " ") + wanted.append;
  if (wanted.luf != "off") return;
  for (scenario::Phase& phase : scenario.phases)
    std::erase_if(phase.at_least, [](const auto& least) { return least.first.starts_with("luf_"); });
}

/// One round of a campaign: all scenarios, kernels, sets and sizes with one seed.
struct Round {
  const scenario::CampaignFile& file;
  const scenario::Catalog& catalog;
  std::int64_t seed;
  std::vector<Planned>& plan;

  void add(const Job& job, const FoundKernel& kernel) const {
    const std::vector<std::string> as_is{job.scenario.kernel.points};
    const std::vector<std::int64_t> same{job.scenario.machine.cpus};
    for (const std::string& points : file.points.empty() ? as_is : file.points) {
      for (const std::int64_t cpus : file.cpus.empty() ? same : file.cpus) add(job, kernel, points, cpus);
    }
  }

  void add(const Job& of_scenario, const FoundKernel& kernel, const std::string& points,
           std::int64_t cpus) const {
    Planned& planned = plan.emplace_back();
    planned.job = of_scenario;
    planned.job.file.clear();  // the copy in the run directory says what was run, also after later edits
    planned.job.kernel = kernel.kernel;
    planned.job.number = plan.size() - 1;
    scenario::Scenario& scenario = planned.job.scenario;
    set_kernel(kernel.wanted, scenario);
    scenario.kernel.points = points;
    scenario.machine.cpus = cpus;
    scenario.seed = seed;
    planned.kernel = kernel.wanted.name;
    planned.build = build_of(kernel.kernel);
    planned.key =
        short_hash(fmt::format("{}\n{}\n{}\n{}\n{}", planned.job.name, planned.kernel, points, cpus, seed));
    planned.content = short_hash(scenario::to_toml(scenario, catalog) + planned.build);
  }
};

enum class Rank { kFailed, kNew, kRest };

Rank rank_of(const Planned& planned, const std::map<std::string, history::Last>& last) {
  const auto found = last.find(planned.key);
  if (found == last.end()) return Rank::kNew;
  if (found->second.bad) return Rank::kFailed;
  return found->second.content == planned.content ? Rank::kRest : Rank::kNew;
}

}  // namespace

Result<std::vector<Planned>> plan_of(const scenario::CampaignFile& file, const std::vector<Job>& scenarios,
                                     const std::vector<FoundKernel>& kernels,
                                     const scenario::Catalog& catalog) {
  for (const Job& job : scenarios) {
    for (const std::int64_t cpus : file.cpus) {
      if (cpus < job.scenario.machine.nodes)
        return fail(Blame::kScenario,
                    "{}: {} NUMA nodes do not fit on cpus = {} of the campaign; leave that size out",
                    job.file.string(), job.scenario.machine.nodes, cpus);
    }
  }
  std::vector<Planned> plan;
  for (std::int64_t i = 0; i < file.seeds; ++i) {
    const Round round{file, catalog, file.first_seed + i, plan};
    for (const Job& job : scenarios) {
      for (const FoundKernel& kernel : kernels) round.add(job, kernel);
    }
  }
  std::set<std::string> keys;
  for (const Planned& planned : plan) {
    if (!keys.insert(planned.key).second)
      return fail(Blame::kScenario, "the campaign names the scenario {} twice; leave one out",
                  planned.job.name);
  }
  return plan;
}

std::string plan_hash(const std::vector<Planned>& plan) {
  std::string all;
  for (const Planned& planned : plan) all += planned.key + planned.content;
  return short_hash(all);
}

Result<Shard> parse_shard(const std::string& text) {
  Shard shard;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, shard.index);
  const bool slash = first.ec == std::errc() && first.ptr != end && *first.ptr == '/';
  const auto second = slash ? std::from_chars(first.ptr + 1, end, shard.count) : first;
  if (!slash || second.ec != std::errc() || second.ptr != end || shard.index < 1 || shard.index > shard.count)
    return fail(Blame::kScenario, "--shard {}: write i/n with i from 1 to n, e.g. 2/4", text);
  return shard;
}

std::vector<Planned> cases_of_shard(std::vector<Planned> plan, const Shard& shard) {
  std::erase_if(plan, [&shard](const Planned& planned) {
    return std::stoull(planned.key, nullptr, 16) % shard.count != shard.index - 1;
  });
  for (std::size_t i = 0; i < plan.size(); ++i) plan[i].job.number = i;
  return plan;
}

Schedule::Schedule(const std::vector<Planned>& plan, const std::map<std::string, history::Last>& last,
                   const std::vector<history::Run>& done, std::int64_t repeats)
    : repeats_(repeats) {
  std::map<std::string, std::pair<bool, std::set<std::int64_t>>> attempts;  // first one bad, those done
  for (const history::Run& run : done) {
    attempts[run.key].second.insert(run.attempt);
    if (run.attempt == 1) attempts[run.key].first = run.is_bad();
  }
  std::vector<std::pair<Rank, Turn>> ranked;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const auto found = attempts.find(plan[i].key);
    const Rank rank = rank_of(plan[i], last);
    if (found == attempts.end()) {
      ranked.push_back({rank, {i, 1}});
    } else if (found->second.first) {
      for (std::int64_t attempt = 2; attempt <= repeats + 1; ++attempt)
        if (!found->second.second.contains(attempt)) ranked.push_back({Rank::kFailed, {i, attempt}});
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto at = ranked.rbegin(); at != ranked.rend(); ++at) turns_.push_back(at->second);
}

std::optional<Schedule::Turn> Schedule::next() {
  if (turns_.empty()) return std::nullopt;
  const Turn turn = turns_.back();
  turns_.pop_back();
  return turn;
}

void Schedule::ended(const Turn& turn, bool bad) {
  if (turn.attempt != 1 || !bad) return;
  for (std::int64_t attempt = repeats_ + 1; attempt > 1; --attempt) turns_.push_back({turn.planned, attempt});
}

}  // namespace luf::run
