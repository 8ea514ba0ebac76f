#include "run/explore.h"

#include <algorithm>
#include <cmath>

#include "run/run_scenario.h"

namespace luf::run {
namespace {

constexpr std::chrono::seconds kSayEvery(10);

class Search {
 public:
  Search(const Environment& environment, const Exploration& exploration)
      : environment_(environment), exploration_(exploration), start_(environment.clock.now()) {}

  std::optional<Job> next() {
    const bool late = exploration_.time.count() > 0 && environment_.clock.now() - start_ >= exploration_.time;
    if (found.violation || found.broken || late || given_ == exploration_.seeds) return std::nullopt;
    Job job = exploration_.job;
    job.scenario.seed = exploration_.first_seed + given_++;
    return job;
  }

  void done(const Job& job, const report::Summary& summary) {
    using judge::Outcome;
    if (environment_.interrupt.asked()) return;
    ++found.runs;
    const Outcome outcome = summary.verdict.outcome;
    const bool unusable = outcome == Outcome::kInfra || outcome == Outcome::kSkip;
    if (unusable && summary.findings == 0) {
      if (!found.broken) found.broken = summary;
      return;
    }
    found.digests.insert(summary.digest);
    add_pairs(summary);
    const std::string& wanted = exploration_.fingerprint;
    if (wanted.empty() ? violates(job.scenario, summary) : summary.fingerprint == wanted) {
      if (found.violation) return;
      found.violation = summary;
      found.seed = job.scenario.seed;
    } else if (!exploration_.keep_all) {
      std::error_code ignored;
      std::filesystem::remove_all(summary.directory, ignored);
    }
    say();
  }

  double seconds() const { return std::chrono::duration<double>(environment_.clock.now() - start_).count(); }

  Explored found;

 private:
  void add_pairs(const report::Summary& summary) {
    constexpr std::string_view kWindow = "luf_window_";
    for (const auto& [name, hits] : summary.counters) {
      if (!name.starts_with(kWindow)) continue;
      for (const auto& [point, flushes] : summary.flushes)
        found.pairs.insert(point + " in " + name.substr(kWindow.size()));
    }
  }

  void say() {
    if (environment_.clock.now() - said_ < kSayEvery) return;
    said_ = environment_.clock.now();
    environment_.progress.say(
        fmt::format("{} of {} seeds, {:.0f} a minute, {} distinct courses, {} promise x window pairs",
                    found.runs, exploration_.seeds, static_cast<double>(found.runs) * 60 / seconds(),
                    found.digests.size(), found.pairs.size()));
  }

  const Environment& environment_;
  const Exploration& exploration_;
  TimePoint start_;
  TimePoint said_ = start_;
  std::int64_t given_ = 0;
};

}  // namespace

bool violates(const scenario::Scenario& scenario, const report::Summary& summary) {
  using judge::Outcome;
  if (summary.findings > 0) return true;
  const Outcome outcome = summary.verdict.outcome;
  if (outcome != Outcome::kFail && outcome != Outcome::kKnownFailure) return false;
  const bool ended = !summary.digest.empty();
  return !ended || std::all_of(scenario.phases.begin(), scenario.phases.end(), scenario::is_silent);
}

Task<Result<Explored>> explore(const Environment& environment, const Ready& ready,
                               const Exploration& exploration) {
  const Result<void> warm =
      co_await warm_up(environment, ready.settings, exploration.job, ready.qemu_version);
  if (!warm) co_return pass_on(warm);
  Search search(environment, exploration);
  const Work work{[&search] { return search.next(); },
                  [&search](const Job& job, const report::Summary& summary) { search.done(job, summary); }};
  co_await run_pool(environment, ready, exploration.workers, work);
  search.found.seconds = search.seconds();
  if (environment.interrupt.asked())
    co_return fail(Blame::kCancelled, "stopped after {} seeds", search.found.runs);
  co_return search.found;
}

double bound_of_silence(std::int64_t runs) {
  constexpr double kDoubt = 0.05;
  return runs <= 0 ? 1.0 : 1.0 - std::pow(kDoubt, 1.0 / static_cast<double>(runs));
}

}  // namespace luf::run
