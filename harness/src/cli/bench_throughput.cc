#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "cli/bench_arms.h"
#include "cli/session.h"
#include "run/admission.h"
#include "run/boot_time.h"
#include "run/explore.h"

namespace luf::cli {
namespace {

struct Options {
  GuestOptions guest;
  std::string scenario;
  std::int64_t runs = 60;
  std::int64_t cold = 2;
  std::size_t workers = 0;
  double bar = 0;  ///< 0: none
};

struct Measured {
  Result<run::Explored> clones;
  Result<run::Explored> boots;
  Result<run::Ready> ready;
};

run::Exploration exploration_of(const Options& options, const run::Job& job, std::int64_t runs) {
  run::Exploration exploration{job, 1, runs, {}, options.workers, true};
  if (exploration.workers == 0) exploration.workers = run::room_for({exploration.job}, run::this_host());
  return exploration;
}

/// The first clone of all is not measured: it may have its template made.
Task<void> work(const run::Environment& environment, const Options& options, const run::Settings& settings,
                const run::Job& job, Measured& measured) {
  measured.ready = co_await run::make_ready(environment, settings);
  if (!measured.ready) co_return;
  const run::Ready& ready = *measured.ready;
  measured.clones = co_await run::explore(environment, ready, exploration_of(options, job, 1));
  if (!measured.clones || measured.clones->broken) co_return;
  measured.clones = co_await run::explore(environment, ready, exploration_of(options, job, options.runs));
  if (!measured.clones || options.cold == 0) co_return;
  run::Ready cold = ready;
  cold.settings.cold = true;
  measured.boots = co_await run::explore(environment, cold, exploration_of(options, job, options.cold));
}

Result<double> rate_of(const Result<run::Explored>& explored, std::int64_t wanted) {
  if (!explored) return pass_on(explored);
  const std::optional<report::Summary>& bad = explored->broken ? explored->broken : explored->violation;
  if (bad || explored->runs != wanted)
    return fail(Blame::kInfra, "not all guests passed: {} ({})",
                bad ? bad->verdict.reason : "some did not run", bad ? bad->directory.string() : "");
  return static_cast<double>(explored->runs) * 60 / explored->seconds;
}

int execute(const Options& options) {
  const Result<run::Settings> settings = options.guest.settings();
  if (!settings) return report_error(settings.error());
  Result<run::Job> job = load_job(options.scenario, settings->catalog);
  if (!job) return report_error(job.error());
  job->file.clear();
  if (const Result<void> made = make_deterministic(*job); !made) return report_error(made.error());
  Session session;
  Measured measured;
  session.run([&](const run::Environment& environment) {
    return work(environment, options, *settings, *job, measured);
  });
  if (!measured.ready) return report_error(measured.ready.error());
  const Result<double> clones = rate_of(measured.clones, options.runs);
  if (!clones) return report_error(clones.error());
  fmt::print(
      "{} complete deterministic runs of {}, {} vCPUs, {} side by side: {:.1f} s, {:.1f} a minute, {} "
      "distinct\n",
      options.runs, job->name, job->scenario.machine.cpus, exploration_of(options, *job, 1).workers,
      measured.clones->seconds, *clones, measured.clones->digests.size());
  if (options.cold > 0) {
    const Result<double> boots = rate_of(measured.boots, options.cold);
    if (!boots) return report_error(boots.error());
    fmt::print("{} the same by cold boots: {:.1f} s, {:.1f} a minute\n", options.cold,
               measured.boots->seconds, *boots);
  }
  fmt::print("kernel  {}-{}\nimage   {}\nqemu    {}\naccel   tcg\nseeds   1 to {}\n",
             settings->kernel.release, settings->kernel.hash, settings->image.initramfs_sha256,
             measured.ready->qemu_version, options.runs);
  if (options.bar <= 0) return 0;
  fmt::print("bar     {:.1f} {} {:.1f} a minute\n", *clones, *clones >= options.bar ? "reaches" : "is below",
             options.bar);
  return *clones >= options.bar ? 0 : kExitBarMissed;
}

}  // namespace

void add_bench_throughput(CLI::App& bench, Action& action) {
  auto options = std::make_shared<Options>();
  options->scenario = shipped_scenarios("bench/throughput/race.toml");
  CLI::App* command =
      bench.add_subcommand("throughput", "Count complete deterministic runs a minute, cloned and booted");
  command->add_option("--scenario", options->scenario, "What is run (scenarios/bench/throughput/race.toml)");
  command->add_option("--count", options->runs, "How many clones")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--cold", options->cold, "How many cold boots")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--jobs", options->workers,
                      "Guests side by side; when not given, as many as the host has CPUs and memory for");
  command->add_option("--bar", options->bar, "Exit with 1 when there are fewer clones a minute")
      ->check(CLI::PositiveNumber);
  options->guest.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
