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

/// Level -> seconds of CPU, by round.
using Times = std::map<std::string, std::vector<double>>;

/// With a thread for each CPU no run is like another. Comparable is what a piece of work costs, if all CPUs do nothing else:
/// a mixture changes with the cost of its parts.
struct Work {
  std::string scenario;
  std::string unit;
  double (*done)(const report::Summary& summary);  ///< in units
};
const std::array<Work, 2> kWorks{{
    {"bench/oracle/reads.toml", "a million loads",
     [](const report::Summary& summary) { return static_cast<double>(summary.loads) / 1e6; }},
    {"bench/oracle/churn.toml", "a thousand pages taken, filled and freed",
     [](const report::Summary& summary) {
       const auto pages = summary.metrics.find("churn.pages");
       return pages == summary.metrics.end() ? 0 : static_cast<double>(pages->second) / 1e3;
     }},
}};

struct Sample {
  double cpu_seconds = 0;  ///< of QEMU
  report::Summary summary;
};

/// Runs one guest. Errors: infra, when it did not pass.
Result<Sample> run_one(run::Settings settings, const run::Job& job, const std::string& level) {
  settings.oracle = level;
  const double before = child_cpu_seconds();
  const Result<run::Outcome> outcome = run_jobs(settings, {job});
  if (!outcome) return pass_on(outcome);
  if (outcome->interrupted) return fail(Blame::kCancelled, "stopped by the user");
  const report::Summary& summary = outcome->summaries.front();
  if (summary.verdict.outcome != judge::Outcome::kPass)
    return fail(Blame::kInfra, "the guest with the oracle {} did not pass: {} ({})", level,
                summary.verdict.reason, summary.directory.string());
  return Sample{child_cpu_seconds() - before, summary};
}

/// The levels in the order of that round: another goes first in each.
std::vector<std::string> levels_of_round(std::size_t round) {
  std::vector<std::string> names;
  for (std::size_t turn = 0; turn < kLevels.size(); ++turn)
    names.push_back(kLevels[(round + turn) % kLevels.size()].name);
  return names;
}

/// One guest for each level, of the same seed. Errors: infra, also when the oracle changed the run.
Result<void> time_same_run(const run::Settings& settings, const run::Job& job, std::size_t round,
                           Times& times) {
  std::string digest;
  for (const std::string& level : levels_of_round(round)) {
    const Result<Sample> sample = run_one(settings, job, level);
    if (!sample) return pass_on(sample);
    times[level].push_back(sample->cpu_seconds);
    const report::Summary& summary = sample->summary;
    if (summary.digest.empty() || (!digest.empty() && summary.digest != digest))
      return fail(Blame::kInfra, "seed {} came to digest {} with the oracle {}, to {} before ({})",
                  job.scenario.seed, summary.digest, level, digest, summary.directory.string());
    digest = summary.digest;
  }
  return {};
}

/// Two guests for each level: what the longer one takes beyond the shorter one, the start of a guest being in both.
Result<void> time_work(const run::Settings& settings, const run::Job& longer, const Work& work,
                       std::size_t round, Times& times) {
  run::Job shorter = longer;
  for (scenario::Phase& phase : shorter.scenario.phases) phase.duration /= 4;
  for (const std::string& level : levels_of_round(round)) {
    const Result<Sample> few = run_one(settings, shorter, level);
    if (!few) return pass_on(few);
    const Result<Sample> many = run_one(settings, longer, level);
    if (!many) return pass_on(many);
    const double done = work.done(many->summary) - work.done(few->summary);
    const double cpu_seconds = many->cpu_seconds - few->cpu_seconds;
    // The start alone takes seconds, and not always the same: a smaller difference says nothing.
    if (done <= 0 || cpu_seconds < 1)
      return fail(
          Blame::kInfra,
          "the longer guest took {:.1f} s of CPU time more than the shorter one: this host is too busy ({})",
          cpu_seconds, many->summary.directory.string());
    times[level].push_back(cpu_seconds / done);
  }
  return {};
}

std::string spread(const std::vector<double>& values, std::string_view unit) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return fmt::format("{:.3f}{} ({:.3f}-{:.3f})", report::median(values), unit, *low, *high);
}

/// Prints the table. True when the medians are within the bars.
bool print_times(const std::string& title, const std::string& of_what, const Times& times) {
  std::vector<report::Row> rows{{"oracle", "n", "CPU time of QEMU" + of_what + ", s", "ratio to off", "bar"}};
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
  fmt::print("{}\n{}", title, report::columns(rows));
  return within;
}

/// Errors: those of a guest. True when the medians are within the bars.
Result<bool> measure_same_run(const Options& options, const run::Settings& settings) {
  Result<run::Job> job = load_job(options.scenario, settings.catalog);
  if (!job) return pass_on(job);
  job->file.clear();
  if (const Result<void> made = make_deterministic(*job); !made) return pass_on(made);
  // The first clone of all is not measured: it may have its template made.
  if (const Result<Sample> first = run_one(settings, *job, "off"); !first) return pass_on(first);
  Times times;
  for (std::size_t round = 0; round < options.rounds; ++round) {
    job->scenario.seed = options.seed + static_cast<std::int64_t>(round);
    if (const Result<void> done = time_same_run(settings, *job, round, times); !done) return pass_on(done);
  }
  return print_times(fmt::format("{} ({} vCPUs), the same course to the digest at every level", job->name,
                                 job->scenario.machine.cpus),
                     "", times);
}

/// The same for each work.
Result<bool> measure_threads(const Options& options, const run::Settings& settings) {
  bool within = true;
  for (const Work& work : kWorks) {
    Result<run::Job> job = load_job(shipped_scenarios(work.scenario), settings.catalog);
    if (!job) return pass_on(job);
    job->file.clear();
    Times times;
    for (std::size_t round = 0; round < options.rounds; ++round) {
      job->scenario.seed = options.seed + static_cast<std::int64_t>(round);
      if (const Result<void> done = time_work(settings, *job, work, round, times); !done)
        return pass_on(done);
    }
    within =
        print_times(fmt::format("{} ({} vCPUs), a thread for each", job->name, job->scenario.machine.cpus),
                    " for " + work.unit, times) &&
        within;
  }
  return within;
}

int execute(const Options& options) {
  Result<run::Settings> settings = options.guest.settings();
  if (!settings) return report_error(settings.error());
  settings->accel = "tcg";
  const Result<bool> within =
      options.threads ? measure_threads(options, *settings) : measure_same_run(options, *settings);
  if (!within) return report_error(within.error());
  fmt::print("kernel  {}-{}\nimage   {}\nseeds   {} to {}\n", settings->kernel.release, settings->kernel.hash,
             settings->image.initramfs_sha256, options.seed,
             options.seed + static_cast<std::int64_t>(options.rounds) - 1);
  if (!options.check) return 0;
  fmt::print("bar     the medians are {}\n", *within ? "within" : "above");
  return *within ? 0 : kExitBarMissed;
}

}  // namespace

void add_bench_oracle(CLI::App& bench, Action& action) {
  auto options = std::make_shared<Options>();
  options->scenario = shipped_scenarios("bench/oracle/busy.toml");
  CLI::App* command = bench.add_subcommand(
      "oracle",
      "Measure what the oracle costs: CPU time of the same run, or of the same work, with and without it");
  CLI::Option* scenario =
      command->add_option("--scenario", options->scenario, "What is run (scenarios/bench/oracle/busy.toml)");
  command
      ->add_option("--boots", options->rounds,
                   "Guests at each level; with --threads pairs of them, for each of two works")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_option("--seed", options->seed, "The first seed; the next guests have the next one")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command
      ->add_flag("--threads", options->threads,
                 "A thread for each CPU, and CPU time for a load and for a page taken, each alone")
      ->excludes(scenario);
  command->add_flag("--check", options->check,
                    "Exit with 1 when the medians are above 2.5 x (violations) and 6 x (full)");
  options->guest.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
