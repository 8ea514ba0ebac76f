#include <fmt/format.h>

#include <memory>
#include <set>

#include "cli/bench_arms.h"
#include "run/comparison.h"

namespace luf::cli {
namespace {

/// Scenarios that take the paths on which a kernel with LUF switched off must cost no more than one without it.
const std::set<std::string> kHotPaths{"anon-fault", "file-fault", "write-64", "write-4096"};
constexpr const char* kOff = "luf off";
constexpr const char* kBareOff = "bare off";
/// A change below this, per cent, is not told as a loss.
constexpr double kNoise = 0.1;

/// Every load's part has the id `load` and the metrics of lib/cost_meter.h. One tick is one instruction (icount = 0).
const run::Ratio kInstructions{"instructions per operation, all CPUs", {"load.ticks"}, {"load.ops"}};
const run::Ratio kInterrupts{"TLB-shootdown IPIs received per operation", {"ipi_tlb"}, {"load.ops"}};

struct Options {
  ArmOptions arms;
  std::string vanilla;  ///< empty: no such arm
  std::string bare;     ///< empty: no such arms
  double bar = 0;       ///< 0: none
};

/// A kernel given on the command line: a file, or a directory with its manifest.
Result<artifact::Kernel> kernel_at(const std::string& path) {
  return std::filesystem::is_directory(path) ? artifact::kernel_in(path) : artifact::kernel_from(path);
}

/// The first arm is what the others are compared with.
Result<std::vector<run::Arm>> arms_of(const Options& options) {
  std::vector<run::Arm> arms;
  if (!options.vanilla.empty()) {
    const Result<artifact::Kernel> kernel = kernel_at(options.vanilla);
    if (!kernel) return pass_on(kernel);
    arms.push_back({.name = "vanilla", .luf = "as-is", .kernel = *kernel});
  }
  if (!options.bare.empty()) {
    const Result<artifact::Kernel> kernel = kernel_at(options.bare);
    if (!kernel) return pass_on(kernel);
    arms.push_back({.name = kBareOff, .kernel = *kernel});
    arms.push_back({.name = "bare strict", .luf = "on", .kernel = *kernel});
  }
  arms.push_back({.name = kOff});
  arms.push_back({.name = "luf strict", .luf = "on"});
  arms.push_back({.name = "luf mm-lock", .luf = "on", .points = "mm-lock"});
  return arms;
}

std::vector<run::Row> rows_of(const run::Experiment& experiment, const Measured& measured,
                              std::size_t of_case, const run::Ratio& ratio) {
  std::vector<run::Row> rows;
  const auto baseline = run::boots_of(experiment, measured.summaries, of_case, 0);
  for (std::size_t arm = 0; arm < experiment.arms.size(); ++arm) {
    const auto boots = run::boots_of(experiment, measured.summaries, of_case, arm);
    rows.push_back(run::row_of(experiment.arms[arm].name, ratio, boots,
                               arm == 0 ? std::vector<report::Summary>{} : baseline));
  }
  return rows;
}

/// Prints the tables of one case; adds a line for each arm that costs more to `losers`.
void print_case(const run::Experiment& experiment, const Measured& measured, std::size_t of_case,
                std::string& losers) {
  const run::Job& job = experiment.cases[of_case];
  for (const run::Ratio& ratio : {kInstructions, kInterrupts}) {
    const std::vector<run::Row> rows = rows_of(experiment, measured, of_case, ratio);
    fmt::print("{}\n", run::to_table(fmt::format("{}: {}", job.name, ratio.title), rows));
    for (const run::Row& row : rows) {
      if (row.change() > kNoise)
        losers += fmt::format("loser   {}: {}: {:+.2f} % {}\n", job.name, row.arm, row.change(), ratio.title);
    }
  }
}

/// True when `arm` is within the bar on all hot paths.
bool hold_to_bar(const run::Experiment& experiment, const Measured& measured, const std::string& arm,
                 double bar) {
  bool held = true;
  for (std::size_t c = 0; c < experiment.cases.size(); ++c) {
    if (!kHotPaths.contains(std::filesystem::path(experiment.cases[c].name).filename().string())) continue;
    for (const run::Row& row : rows_of(experiment, measured, c, kInstructions)) {
      if (row.arm != arm) continue;
      const bool good = row.change() <= bar;
      held = held && good;
      fmt::print("bar     {}: {} {:+.3f} % {} {:.3f} %\n", experiment.cases[c].name, row.arm, row.change(),
                 good ? "is within" : "is above", bar);
    }
  }
  return held;
}

std::string own_command(const Options& options) {
  std::vector<std::string> words{"bench", "costs"};
  if (!options.vanilla.empty())
    words.insert(words.end(), {"--vanilla", std::filesystem::absolute(options.vanilla).string()});
  if (!options.bare.empty())
    words.insert(words.end(), {"--bare", std::filesystem::absolute(options.bare).string()});
  const std::vector<std::string> shared = options.arms.words();
  words.insert(words.end(), shared.begin(), shared.end());
  return command_line(words);
}

int execute(const Options& options) {
  const Result<std::vector<run::Job>> cases = bench_cases(options.arms);
  if (!cases) return report_error(cases.error());
  const Result<std::vector<run::Arm>> arms = arms_of(options);
  if (!arms) return report_error(arms.error());
  const run::Experiment experiment{*cases, *arms, options.arms.boots, options.arms.seed};
  const Result<Measured> measured = measure(options.arms, experiment);
  if (!measured) return report_error(measured.error());
  std::string losers;
  for (std::size_t c = 0; c < experiment.cases.size(); ++c) print_case(experiment, *measured, c, losers);
  fmt::print("{}", losers.empty() ? "no arm costs more\n" : losers);
  fmt::print("{}command {}\n", measured->provenance, own_command(options));
  if (options.bar <= 0) return 0;
  return hold_to_bar(experiment, *measured, options.bare.empty() ? kOff : kBareOff, options.bar)
             ? 0
             : kExitBarMissed;
}

}  // namespace

void add_bench_costs(CLI::App& bench, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand(
      "costs", "Count instructions and IPIs of loads that LUF does not help, against a kernel without it");
  CLI::Option* vanilla =
      command->add_option("--vanilla", options->vanilla,
                          "The kernel without the series, a file or a directory with its manifest");
  command->add_option(
      "--bare", options->bare,
      "The variant luf-bare, which has no checks, faults and comparison sets; given like --vanilla");
  command
      ->add_option(
          "--bar", options->bar,
          "Exit with 1 when luf=off costs more than this, per cent, on faults and writes; of --bare if given")
      ->check(CLI::PositiveNumber)
      ->needs(vanilla);
  options->arms.add_options(*command, "costs");
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
