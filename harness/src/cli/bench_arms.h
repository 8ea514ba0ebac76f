// What the subcommands of `bench` that compare kernel settings share.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "run/arms.h"

namespace luf::cli {

struct ArmOptions {
  Locations locations;
  std::string kernel;
  std::string qemu = "qemu-system-x86_64";
  std::string runs = "runs";
  std::string scenarios;  ///< folder
  std::int64_t boots = 5;
  std::int64_t seed = 1;

  /// `folder` is where the scenarios lie under scenarios/bench.
  void add_options(CLI::App& command, const std::string& folder);
  /// The words that repeat this, without those of the one subcommand.
  std::vector<std::string> words() const;
};

/// The guests of an experiment that ran to its end, and what they ran on.
struct Measured {
  std::vector<report::Summary> summaries;
  std::string qemu;
  std::string provenance;  ///< lines that name kernel, image, QEMU and seeds
};

/// The scenarios of the folder, sorted by name. Errors: as `load_jobs`.
Result<std::vector<run::Job>> bench_cases(const ArmOptions& options);

/// Boots every guest of `experiment`. Errors: infra, also when a guest did not pass; cancelled.
Result<Measured> measure(const ArmOptions& options, const run::Experiment& experiment);

/// A command line as a person would type it.
std::string command_line(const std::vector<std::string>& words);

}  // namespace luf::cli
