#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "base/usage.h"
#include "cli/command.h"
#include "cli/session.h"
#include "report/columns.h"
#include "report/stats.h"

namespace luf::cli {
namespace {

/// How many times the CPU time that a guest takes without the oracle it may take with it.
struct Level {
  std::string name;
  double most;
};
const std::array<Level, 3> kLevels{{{"off", 1}, {"violations", 2.5}, {"full", 6}}};

struct Options {
  GuestOptions guest;
  std::string scenario;
  std::size_t rounds = 5;
  std::int64_t seed = 1;
  bool threads = false;
  bool check = false;
};

/// Level -> seconds of CPU, by round. With a thread for each CPU no run is like another: for a million checked loads.
using Times = std::map<std::string, std::vector<double>>;

/// Runs one guest. Errors: infra, when it did not pass.
Result<report::Summary> run_one(run::Settings settings, const run::Job& job, const std::string& level) {
  settings.oracle = level;
  const Result<run::Outcome> outcome = run_jobs(settings, {job});
  if (!outcome) return pass_on(outcome);
  if (outcome->interrupted) return fail(Blame::kCancelled, "stopped by the user");
  const report::Summary& summary = outcome->summaries.front();
  if (summary.verdict.outcome != judge::Outcome::kPass)
    return fail(Blame::kInfra, "the guest with the oracle {} did not pass: {} ({})", level,
                summary.verdict.reason, summary.directory.string());
  return summary;
}

/// A thread for each of two CPUs, which is as many as most hosts have free; long against the start of a guest, which
/// counts, too. How much is deferred meanwhile depends on the host, so it is not asked for.
void let_threads_run(run::Job& job) {
  job.scenario.machine.icount.reset();
  job.scenario.machine.cpus = 2;
  for (scenario::Phase& phase : job.scenario.phases) {
    phase.duration = std::chrono::seconds(20);
    phase.at_least.clear();
  }
}

/// One guest for each level, of the same seed; another level goes first in each round. Errors: infra, also when the oracle
/// changed a deterministic run.
Result<void> run_round(const Options& options, const run::Settings& settings, run::Job job, std::size_t round,
                       Times& times) {
  job.scenario.seed = options.seed + static_cast<std::int64_t>(round);
  std::string digest;
  for (std::size_t turn = 0; turn < kLevels.size(); ++turn) {
    const std::string& level = kLevels[(round + turn) % kLevels.size()].name;
    const double before = child_cpu_seconds();
    const Result<report::Summary> summary = run_one(settings, job, level);
    if (!summary) return pass_on(summary);
    const double work = options.threads ? static_cast<double>(summary->loads) / 1e6 : 1;
    times[level].push_back((child_cpu_seconds() - before) / work);
    if (turn > 0 && summary->digest != digest)
      return fail(Blame::kInfra, "seed {} came to digest {} with the oracle {}, to {} before ({})",
                  job.scenario.seed, summary->digest, level, digest, summary->directory.string());
    digest = summary->digest;
  }
  return {};
}

std::string spread(const std::vector<double>& values, std::string_view unit) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return fmt::format("{:.2f}{} ({:.2f}-{:.2f})", report::median(values), unit, *low, *high);
}

/// Returns the exit code.
int conclude(const Options& options, const run::Settings& settings, const run::Job& job, const Times& times) {
  std::vector<report::Row> rows{
      {"oracle", "n", options.threads ? "CPU time of QEMU a million loads, s" : "CPU time of QEMU, s",
       "ratio to off", "bar"}};
  bool within = true;
  for (const Level& level : kLevels) {
    const std::vector<double>& own = times.at(level.name);
    std::vector<double> ratios;
    for (std::size_t round = 0; round < own.size(); ++round)
      ratios.push_back(own[round] / times.at("off")[round]);
    rows.push_back({level.name, fmt::format("{}", own.size()), spread(own, ""), spread(ratios, " x"),
                    level.name == "off" ? "" : fmt::format("{:.1f}", level.most)});
    within = within && report::median(ratios) <= level.most;
  }
  fmt::print(
      "{} ({} vCPUs), {}\n{}kernel  {}-{}\nimage   {}\nseeds   {} "
      "to {}\n",
      job.name, job.scenario.machine.cpus,
      options.threads ? "a thread for each" : "the same course to the digest at every level",
      report::columns(rows), settings.kernel.release, settings.kernel.hash, settings.image.initramfs_sha256,
      options.seed, options.seed + static_cast<std::int64_t>(options.rounds) - 1);
  if (!options.check) return 0;
  fmt::print("bar     the medians are {}\n", within ? "within" : "above");
  return within ? 0 : kExitBarMissed;
}

int execute(const Options& options) {
  Result<run::Settings> settings = options.guest.settings();
  if (!settings) return report_error(settings.error());
  settings->accel = "tcg";
  Result<run::Job> job = load_job(options.scenario, settings->catalog);
  if (!job) return report_error(job.error());
  job->file.clear();
  if (options.threads) {
    let_threads_run(*job);
  } else if (const Result<void> made = make_deterministic(*job); !made) {
    return report_error(made.error());
  }
  // The first clone of all is not measured: it may have its template made.
  if (const Result<report::Summary> first = run_one(*settings, *job, "off"); !first)
    return report_error(first.error());
  Times times;
  for (std::size_t round = 0; round < options.rounds; ++round) {
    if (const Result<void> done = run_round(options, *settings, *job, round, times); !done)
      return report_error(done.error());
  }
  return conclude(options, *settings, *job, times);
}

}  // namespace

void add_bench_oracle(CLI::App& bench, Action& action) {
  auto options = std::make_shared<Options>();
  options->scenario = shipped_scenarios("bench/oracle/busy.toml");
  CLI::App* command = bench.add_subcommand(
      "oracle", "Measure what the oracle costs: CPU time of the same deterministic run with and without it");
  command->add_option("--scenario", options->scenario, "What is run (scenarios/bench/oracle/busy.toml)");
  command->add_option("--boots", options->rounds, "Guests at each level")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_option("--seed", options->seed, "The first seed; the next guests have the next one")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--threads", options->threads,
                    "A thread for each of 2 CPUs and CPU time a checked load, not a deterministic run's");
  command->add_flag("--check", options->check,
                    "Exit with 1 when the medians are above 2.5 x (violations) and 6 x (full)");
  options->guest.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
