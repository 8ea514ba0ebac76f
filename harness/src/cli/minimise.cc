#include "run/minimise.h"

#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "cli/command.h"
#include "cli/session.h"
#include "run/admission.h"
#include "run/repro.h"
#include "run/run_scenario.h"
#include "scenario/parse.h"

namespace luf::cli {
namespace {

struct Options {
  GuestOptions guest;
  std::string run;
  std::string output = "minimal.toml";
  std::int64_t tries = 4;
  std::size_t workers = 0;
};

struct Outcome {
  Result<run::Minimised> minimised = fail(Blame::kBug, "nothing was done");
  std::string violations;  ///< of what is left, as the oracle saw it; empty: it saw no violation
};

/// What is left once more, bit for bit, with every access compared with the page tables.
Task<std::string> violations_of(const run::Environment& environment, const run::Ready& ready, run::Job job,
                                const scenario::Scenario& scenario) {
  run::Settings settings = ready.settings;
  settings.oracle = "violations";
  job.scenario = scenario;
  const run::AccelChoice accel{machine::Accel::kTcg, "as in the run that was minimised"};
  const report::Summary seen =
      co_await run::run_scenario(environment, settings, job, accel, ready.qemu_version);
  co_return read_file(seen.directory / "violations.txt").value_or("");
}

Task<void> work(const run::Environment& environment, const Options& options, const run::Settings& given,
                const run::Recorded& recorded, Outcome& outcome) {
  const Result<run::Ready> ready = co_await run::ready_to_repeat(environment, given, recorded);
  if (!ready) {
    outcome.minimised = pass_on(ready);
    co_return;
  }
  const std::size_t workers =
      options.workers > 0 ? options.workers : run::room_for({recorded.job}, run::this_host());
  outcome.minimised = co_await run::minimise(environment, *ready, recorded.job, recorded.fingerprints.front(),
                                             options.tries, workers);
  if (outcome.minimised)
    outcome.violations =
        co_await violations_of(environment, *ready, recorded.job, outcome.minimised->scenario);
}

int tell(const Options& options, const run::Recorded& recorded, const Outcome& outcome,
         const scenario::Catalog& catalog) {
  const run::Minimised& minimised = *outcome.minimised;
  const Result<void> written = write_file(options.output, scenario::to_toml(minimised.scenario, catalog));
  if (!written) return report_error(written.error());
  fmt::print("{}: {} of {} steps are needed, after {} runs\n", recorded.job.name, minimised.kept.size(),
             minimised.from, minimised.runs);
  for (const std::string& name : minimised.kept) fmt::print("  {}\n", name);
  fmt::print("{} CPUs, {} nodes, {}, seed {}: {}\n", minimised.scenario.machine.cpus,
             minimised.scenario.machine.nodes, format_size(minimised.scenario.machine.memory),
             minimised.scenario.seed, minimised.summary.first_finding);
  fmt::print("scenario: {}\nrun:      {}\n", std::filesystem::absolute(options.output).string(),
             minimised.summary.directory.string());
  fmt::print("\n{}", outcome.violations.empty() ? "the oracle saw no violation in it\n" : outcome.violations);
  return 0;
}

int execute(const Options& options) {
  const Result<run::Settings> settings = options.guest.settings();
  if (!settings) return report_error(settings.error());
  const Result<run::Recorded> recorded = run::read_run(options.run, settings->catalog);
  if (!recorded) return report_error(recorded.error());
  if (!recorded->digest || recorded->fingerprints.empty())
    return report_error(
        Error{Blame::kScenario, options.run + ": only a deterministic run with a finding can be minimised"});
  Session session;
  Outcome outcome;
  session.run([&](const run::Environment& environment) {
    return work(environment, options, *settings, *recorded, outcome);
  });
  if (!outcome.minimised) return report_error(outcome.minimised.error());
  return tell(options, *recorded, outcome, settings->catalog);
}

}  // namespace

void add_minimise(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("minimise", "Leave out of a failing scenario what its violation does not need");
  command->add_option("run", options->run, "The run directory of a deterministic run that failed")
      ->required();
  command->add_option("--output", options->output, "The scenario that is left")->capture_default_str();
  command
      ->add_option("--tries", options->tries, "Seeds that may show the violation, from the run's own upwards")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--jobs", options->workers,
                      "Guests side by side; when not given, as many as the host has CPUs and memory for");
  options->guest.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
