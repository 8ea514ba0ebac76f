#include "run/explore.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/file.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/session.h"
#include "run/admission.h"

namespace luf::cli {
namespace {

constexpr int kExitFound = 1;
constexpr Nanoseconds kLeastStall = std::chrono::minutes(10);

struct Options {
  GuestOptions guest;
  std::string scenario;
  std::string strategy;
  std::string time = "10min";
  std::int64_t depth = 0;
  std::int64_t steps = 0;
  std::int64_t seeds = 200;
  std::int64_t first_seed = 1;
  std::size_t workers = 0;
  bool keep = false;
};

/// The scenario as it will run: deterministic, and with a schedule that its seed decides.
Result<run::Job> job_of(const Options& options, const scenario::Catalog& catalog) {
  const Result<run::Job> loaded = load_job(options.scenario, catalog);
  if (!loaded) return pass_on(loaded);
  run::Job job = *loaded;
  job.file.clear();  // the copy in the run directory says what was run
  scenario::Schedule& schedule = job.scenario.schedule;
  // A host that is slow under some schedule must not make a guest look hung.
  job.scenario.machine.stall_deadline = std::max(job.scenario.machine.stall_deadline, kLeastStall);
  if (const Result<void> made = make_deterministic(job); !made) return pass_on(made);
  if (!options.strategy.empty()) schedule.strategy = options.strategy;
  if (schedule.strategy == "none") schedule.strategy = "windows";
  if (options.depth > 0) schedule.depth = options.depth;
  if (options.steps > 0) schedule.steps = options.steps;
  return job;
}

/// What the silence of a search is worth.
std::string bound_text(const run::Job& job, std::int64_t runs) {
  std::string text =
      fmt::format("with 95 % confidence fewer than {:.2f} % of the seeds of this scenario violate",
                  100 * run::bound_of_silence(runs));
  const scenario::Schedule& schedule = job.scenario.schedule;
  if (schedule.strategy != "pct") return text;
  const double least =
      1 / (static_cast<double>(job.scenario.machine.cpus) *
           std::pow(static_cast<double>(schedule.steps), static_cast<double>(schedule.depth - 1)));
  return text +
         fmt::format(
             "; a bug that needs {} orderings among {} points is met by a seed with a probability of {:.2g} "
             "or more",
             schedule.depth, schedule.steps, least);
}

int tell(const Options& options, const run::Job& job, const run::Explored& explored) {
  fmt::print(
      "{}: {} seeds from {}, strategy {}, {:.0f} a minute, {} distinct courses, {} promise x window pairs, "
      "{:.1f} s\n",
      job.name, explored.runs, options.first_seed, job.scenario.schedule.strategy,
      static_cast<double>(explored.runs) * 60 / explored.seconds, explored.digests.size(),
      explored.pairs.size(), explored.seconds);
  if (explored.violation) {
    const report::Summary& summary = *explored.violation;
    fmt::print("violation at seed {}: {}\n", explored.seed,
               summary.first_finding.empty() ? summary.verdict.reason : summary.first_finding);
    fmt::print("repeat it: {} repro {}\n", shell_quote((executable_directory() / "lufbed").string()),
               shell_quote(summary.directory.string()));
    return kExitFound;
  }
  if (explored.broken) {
    fmt::print(stderr, "a guest could not be judged: {} ({})\n", explored.broken->verdict.reason,
               explored.broken->directory.string());
    return explored.broken->verdict.outcome == judge::Outcome::kSkip ? 77 : kExitInfra;
  }
  fmt::print("no violation; {}\n", bound_text(job, explored.runs));
  return 0;
}

Task<void> work(const run::Environment& environment, const run::Settings& settings,
                const run::Exploration& exploration, Result<run::Explored>& explored) {
  const Result<run::Ready> ready = co_await run::make_ready(environment, settings);
  if (!ready) {
    explored = pass_on(ready);
    co_return;
  }
  explored = co_await run::explore(environment, *ready, exploration);
}

int execute(const Options& options) {
  const Result<run::Settings> settings = options.guest.settings();
  if (!settings) return report_error(settings.error());
  const Result<run::Job> job = job_of(options, settings->catalog);
  if (!job) return report_error(job.error());
  const Result<Nanoseconds> time = parse_duration(options.time);
  if (!time) return report_error(Error{Blame::kScenario, "--time: " + time.error().message});
  run::Exploration exploration{*job, options.first_seed, options.seeds, *time, options.workers, options.keep};
  if (exploration.workers == 0) exploration.workers = run::room_for({exploration.job}, run::this_host());
  Session session;
  Result<run::Explored> explored;
  session.run([&](const run::Environment& environment) {
    return work(environment, *settings, exploration, explored);
  });
  if (!explored) return report_error(explored.error());
  return tell(options, *job, *explored);
}

}  // namespace

void add_explore(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("explore", "Try seeds of a scenario until one violates the contract");
  command->add_option("scenario", options->scenario, "The scenario file")->required();
  command
      ->add_option("--strategy", options->strategy,
                   "How a seed decides who runs when; the scenario's, else windows")
      ->check(CLI::IsMember({"windows", "turns", "pct", "bounded", "stall"}));
  command->add_option("--depth", options->depth, "Orderings (pct) or delays (bounded) a seed makes")
      ->check(CLI::Range(1, 16));
  command->add_option("--steps", options->steps, "Hits of scheduling points a run is expected to have")
      ->check(CLI::PositiveNumber);
  command->add_option("--seeds", options->seeds, "How many at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--first-seed", options->first_seed, "The first one")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--time", options->time, "Host time at most, e.g. 90s")->capture_default_str();
  command->add_option("--jobs", options->workers,
                      "Guests side by side; when not given, as many as the host has CPUs and memory for");
  command->add_flag("--keep", options->keep, "Keep the run directories in which nothing was found");
  options->guest.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
