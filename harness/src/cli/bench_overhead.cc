#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "base/file.h"
#include "base/units.h"
#include "base/usage.h"
#include "cli/command.h"
#include "cli/session.h"

namespace luf::cli {
namespace {

/// What this program may take for itself, and how busy it must keep the host.
constexpr double kMostCpu = 2;  // percent of the guests' CPU time
constexpr std::uint64_t kMostMemory = 100ULL << 20U;
constexpr double kLeastBusy = 95;  // percent of the cores, with guests

struct Options {
  GuestOptions guest;
  std::string scenario;
  std::size_t guests = 8;
  std::size_t count = 8;
  bool check = false;
};

/// Returns the exit code.
int conclude(const Options& options, const run::Settings& settings, const run::Job& job,
             const std::vector<report::Summary>& summaries, double seconds) {
  const double guests = child_cpu_seconds();
  const double percent = guests > 0 ? 100 * own_cpu_seconds() / guests : 100;
  const std::uint64_t memory = peak_memory();
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  fmt::print("{} guests of {}, {} vCPUs, {} at a time: {:.1f} s; {}\n", options.count, job.name,
             job.scenario.machine.cpus, options.guests, seconds, report::tally(summaries));
  fmt::print("cpu     guests {:.1f} s, lufbed {:.2f} s: {:.2f} %\n", guests, own_cpu_seconds(), percent);
  fmt::print("memory  lufbed {:.1f} MiB at most\n", static_cast<double>(memory) / (1U << 20U));
  const double busy = 100 * guests / seconds / cores;
  fmt::print("cores   guests kept {:.2f} of {} busy: {:.0f} %\n", guests / seconds, cores, busy);
  fmt::print("kernel  {}-{}\nimage   {}\n", settings.kernel.release, settings.kernel.hash,
             settings.image.initramfs_sha256);
  if (!options.check) return 0;
  const bool holds = percent <= kMostCpu && memory <= kMostMemory && busy >= kLeastBusy;
  fmt::print("bar     {}: at most {} % of CPU time, at most {}, cores at least {} % busy\n",
             holds ? "holds" : "is missed", kMostCpu, format_size(kMostMemory), kLeastBusy);
  return holds ? 0 : kExitBarMissed;
}

int execute(const Options& options) {
  Result<run::Settings> settings = options.guest.settings();
  if (!settings) return report_error(settings.error());
  const Result<run::Job> job = load_job(options.scenario, settings->catalog);
  if (!job) return report_error(job.error());
  const std::vector<run::Job> jobs(options.count, *job);
  place(jobs, options.guests, *settings);
  const TimePoint began = Clock().now();
  const Result<run::Outcome> outcome = run_jobs(*settings, jobs);
  if (!outcome) return report_error(outcome.error());
  if (outcome->interrupted) return kExitInterrupted;
  const double seconds = std::chrono::duration<double>(Clock().now() - began).count();
  return conclude(options, *settings, *job, outcome->summaries, seconds);
}

}  // namespace

void add_bench_overhead(CLI::App& bench, Action& action) {
  auto options = std::make_shared<Options>();
  options->scenario = shipped_scenarios("smoke/luf-on.toml");
  CLI::App* command = bench.add_subcommand(
      "overhead", "Measure what lufbed itself takes of CPU time and memory with many guests at a time");
  command->add_option("--scenario", options->scenario, "What is run (scenarios/smoke/luf-on.toml)");
  command->add_option("--jobs", options->guests, "Guests at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  command->add_option("--count", options->count, "How many guests in all")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  command->add_flag("--check", options->check,
                    "Exit with 1 when that is more than 2 % of the guests' CPU time, or than 100MiB, or when "
                    "the guests keep the cores "
                    "busy less than 95 % of the time; for a host with nothing else to do");
  options->guest.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
