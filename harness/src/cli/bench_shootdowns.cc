#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <set>

#include "cli/bench_arms.h"
#include "run/comparison.h"

namespace luf::cli {
namespace {

constexpr const char* kBaseline = "batching";
constexpr const char* kStrict = "luf strict";
/// A control that moves by more than this, per cent, makes the comparison worthless.
constexpr double kControlLimit = 5;

enum class Role {
  kSaving,   ///< what LUF is there to save
  kControl,  ///< has nothing to do with what LUF defers
  kOutcome,  ///< moves when flushes get cheaper or dearer, for no reason of its own: told, and not judged
};

/// What is counted in a scenario.
struct Measure {
  std::string scenario;
  run::Ratio ratio;
  Role role;
};

const std::vector<std::string> kReclaimed{"pgsteal_anon", "pgsteal_file"};

std::vector<Measure> measures() {
  return {
      {"reclaim", {"TLB-shootdown IPIs received per reclaimed page", {"ipi_tlb"}, kReclaimed}, Role::kSaving},
      {"reclaim",
       {"remote flushes received per reclaimed page", {"nr_tlb_remote_flush_received"}, kReclaimed},
       Role::kSaving},
      {"reclaim",
       {"pages reclaimed per page scanned", kReclaimed, {"pgscan_anon", "pgscan_file"}},
       Role::kOutcome},
      {"migrate",
       {"TLB-shootdown IPIs received per migrated page", {"ipi_tlb"}, {"pgmigrate_success"}},
       Role::kSaving},
      {"migrate",
       {"remote flushes received per migrated page", {"nr_tlb_remote_flush_received"}, {"pgmigrate_success"}},
       Role::kSaving},
      {"munmap",
       {"control: TLB-shootdown IPIs received per munmap", {"ipi_tlb"}, {"map_touch_unmap.munmaps"}},
       Role::kControl},
  };
}

/// The scenario's own name, without its folders.
std::string load_of(const run::Job& scenario) {
  return std::filesystem::path(scenario.name).filename().string();
}

/// Refuses a scenario of which nothing would be told.
Result<void> check_loads(const std::vector<run::Job>& scenarios) {
  std::set<std::string> known;
  for (const Measure& measure : measures()) known.insert(measure.scenario);
  for (const run::Job& job : scenarios) {
    if (!known.contains(load_of(job)))
      return fail(Blame::kScenario, "{}: not a load of bench shootdowns; the file must be called one of {}",
                  job.file.string(), fmt::join(known, ", "));
  }
  return {};
}

struct Options {
  ArmOptions arms;
  std::vector<std::int64_t> cpus{4, 8};
  std::vector<std::string> ages;
  std::vector<std::int64_t> pending_max;
  double bar = 0;  ///< 0: none
};

/// The arms that every table has; with bounds given, `luf strict` stands once for each pair of them.
Result<std::vector<run::Arm>> arms_of(const Options& options) {
  std::vector<run::Arm> arms{{.name = "batching off", .batching = false},
                             {.name = kBaseline, .batching = true}};
  std::vector<std::optional<Nanoseconds>> ages;
  for (const std::string& text : options.ages) {
    const Result<Nanoseconds> age = parse_duration(text);
    if (!age) return fail(Blame::kScenario, "--age: {}", age.error().message);
    ages.emplace_back(*age);
  }
  std::vector<std::optional<std::int64_t>> bounds(options.pending_max.begin(), options.pending_max.end());
  if (ages.empty()) ages.emplace_back();
  if (bounds.empty()) bounds.emplace_back();
  for (const auto& age : ages) {
    for (const auto& bound : bounds) {
      std::string name = kStrict;
      if (age) name += ", age " + format_duration(*age);
      if (bound) name += fmt::format(", pending_max {}", *bound);
      arms.push_back({.name = name, .luf = "on", .batching = true, .age = age, .pending_max = bound});
    }
  }
  arms.push_back({.name = "luf mm-lock", .luf = "on", .points = "mm-lock", .batching = true});
  return arms;
}

/// Every scenario with every number of CPUs.
std::vector<run::Job> cases_of(const std::vector<run::Job>& scenarios,
                               const std::vector<std::int64_t>& cpus) {
  std::vector<run::Job> cases;
  for (const std::int64_t count : cpus) {
    for (const run::Job& job : scenarios) {
      run::Job& with = cases.emplace_back(job);
      with.scenario.machine.cpus = count;
      with.name = fmt::format("{}/{} vCPUs", job.name, count);
    }
  }
  return cases;
}

struct Bar {
  double limit;
  bool held = true;

  void take(const Measure& measure, const std::string& of_case, const run::Row& row) {
    const double change = row.change();
    if (measure.role == Role::kOutcome) return;
    const bool control = measure.role == Role::kControl;
    const bool good = control ? std::abs(change) <= kControlLimit : -change >= limit;
    held = held && good;
    fmt::print("bar     {}: {}, {}: {:+.2f} % {}\n", of_case, row.arm, measure.ratio.title, change,
               good      ? "holds"
               : control ? "is a control that moved"
                         : "is not enough");
  }
};

void print_tables(const run::Experiment& experiment, const Measured& measured, Bar* bar) {
  for (std::size_t c = 0; c < experiment.cases.size(); ++c) {
    const run::Job& of_case = experiment.cases[c];
    for (const Measure& measure : measures()) {
      if (std::filesystem::path(of_case.name).parent_path().filename() != measure.scenario) continue;
      std::vector<run::Row> rows;
      const auto baseline = run::boots_of(experiment, measured.summaries, c, 1);
      for (std::size_t a = 0; a < experiment.arms.size(); ++a) {
        const auto boots = run::boots_of(experiment, measured.summaries, c, a);
        rows.push_back(run::row_of(experiment.arms[a].name, measure.ratio, boots,
                                   a == 1 ? std::vector<report::Summary>{} : baseline));
      }
      if (bar == nullptr) {
        fmt::print("{}\n", run::to_table(fmt::format("{}: {}", of_case.name, measure.ratio.title), rows));
      } else {
        for (const run::Row& row : rows) {
          if (row.arm.starts_with(kStrict)) bar->take(measure, of_case.name, row);
        }
      }
    }
  }
}

std::string own_command(const Options& options) {
  std::vector<std::string> words{"bench", "shootdowns"};
  words.insert(words.end(), {"--cpus", fmt::format("{}", fmt::join(options.cpus, ","))});
  if (!options.ages.empty())
    words.insert(words.end(), {"--age", fmt::format("{}", fmt::join(options.ages, ","))});
  if (!options.pending_max.empty())
    words.insert(words.end(), {"--pending-max", fmt::format("{}", fmt::join(options.pending_max, ","))});
  const std::vector<std::string> shared = options.arms.words();
  words.insert(words.end(), shared.begin(), shared.end());
  return command_line(words);
}

int execute(const Options& options) {
  const Result<std::vector<run::Job>> scenarios = bench_cases(options.arms);
  if (!scenarios) return report_error(scenarios.error());
  if (const Result<void> known = check_loads(*scenarios); !known) return report_error(known.error());
  const Result<std::vector<run::Arm>> arms = arms_of(options);
  if (!arms) return report_error(arms.error());
  const run::Experiment experiment{cases_of(*scenarios, options.cpus), *arms, options.arms.boots,
                                   options.arms.seed};
  const Result<Measured> measured = measure(options.arms, experiment);
  if (!measured) return report_error(measured.error());
  print_tables(experiment, *measured, nullptr);
  fmt::print("{}command {}\n", measured->provenance, own_command(options));
  if (options.bar <= 0) return 0;
  Bar bar{options.bar};
  print_tables(experiment, *measured, &bar);
  return bar.held ? 0 : kExitBarMissed;
}

}  // namespace

void add_bench_shootdowns(CLI::App& bench, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand(
      "shootdowns", "Count TLB-shootdown IPIs per reclaimed and per migrated page, without and with LUF");
  command->add_option("--cpus", options->cpus, "Virtual CPUs of the guests")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(2, 16));
  command->add_option("--age", options->ages, "Bounds on the age of a deferral to try, e.g. 10ms,20ms")
      ->delimiter(',');
  command->add_option("--pending-max", options->pending_max, "Bounds on pending frames to try")
      ->delimiter(',');
  command
      ->add_option("--bar", options->bar,
                   "Exit with 1 when LUF saves less than this, per cent, or a control moves by more than 5")
      ->check(CLI::PositiveNumber);
  options->arms.add_options(*command, "shootdowns");
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
