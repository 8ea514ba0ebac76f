// What all subcommands share.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "artifact/image.h"
#include "artifact/kernel.h"
#include "base/result.h"
#include "run/settings.h"
#include "scenario/contract.h"

namespace luf::cli {

inline constexpr int kExitBarMissed = 1;  ///< of `bench`
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInfra = 3;
inline constexpr int kExitInterrupted = 130;

/// Adds one subcommand to `app`; when it is chosen, `action` is set to what it does, which returns the exit
/// code.
using Action = std::function<int()>;
void add_run(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_list(CLI::App& app, Action& action);
void add_doctor(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_bench_costs(CLI::App& bench, Action& action);
void add_bench_oracle(CLI::App& bench, Action& action);
void add_bench_overhead(CLI::App& bench, Action& action);
void add_bench_shootdowns(CLI::App& bench, Action& action);
void add_matrix(CLI::App& app, Action& action);
void add_bench_throughput(CLI::App& bench, Action& action);
void add_campaign(CLI::App& app, Action& action);
void add_history(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_merge(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_metrics(CLI::App& app, Action& action);
void add_explore(CLI::App& app, Action& action);
void add_repro(CLI::App& app, Action& action);
void add_minimise(CLI::App& app, Action& action);
void add_bisect(CLI::App& app, Action& action);
void add_pack(CLI::App& app, Action& action);
void add_kunit(CLI::App& app, Action& action);
void add_kselftest(CLI::App& app, Action& action);

/// Where kernel and image lie: flag, else environment, else a place relative to the executable.
struct Locations {
  std::string kernel_dir;  ///< --kernel-dir, LUFBED_KERNEL_DIR
  std::string image_dir;   ///< --image-dir, LUFBED_IMAGE_DIR
  void add_options(CLI::App& command);
  std::filesystem::path kernel() const;
  /// The kernel file that the user named, or the one built here when `named` is empty. Errors: infra; scenario.
  Result<artifact::Kernel> kernel_or(const std::string& named) const;
  std::filesystem::path image() const;
};

/// --oracle, for commands that run guests to be watched.
CLI::Option* add_oracle_option(CLI::App& command, std::string& level);

/// What guests run on, for subcommands that run many alike.
struct GuestOptions {
  Locations locations;
  std::string kernel;
  std::string modules;
  std::string qemu = "qemu-system-x86_64";
  std::string runs = "runs";
  void add_options(CLI::App& command);
  /// Errors: infra; scenario, e.g. when a kernel was named that is none.
  Result<run::Settings> settings() const;
};

/// Makes the guest's time that of its instructions, if it is not already. Errors: scenario, when something acts on the guest
/// by another time.
Result<void> make_deterministic(run::Job& job);

/// Decides how many of `jobs` run at a time: `asked`, or if that is 0 as many as the host has room for. Says on stderr when
/// those are too many.
void place(const std::vector<run::Job>& jobs, std::size_t asked, run::Settings& settings);

/// --deterministic and --jobs, for subcommands that run many scenarios.
struct JobOptions {
  bool deterministic = false;
  std::size_t jobs = 0;  ///< 0: not given
  void add_options(CLI::App& command);
  /// Makes `jobs` deterministic if that was asked for, and decides how many guests run at a time. Errors: scenario, when one
  /// cannot be deterministic.
  Result<void> apply(std::vector<run::Job>& jobs, run::Settings& settings) const;
};

/// --accel, --machine and --connect: what runs the guests.
struct MachineOptions {
  std::string accel;  ///< empty: as the scenarios say
  std::string machine = "qemu";
  std::string connect;
  void add_options(CLI::App& command);
  /// Errors: scenario, when they exclude each other, or one of `jobs`.
  Result<void> apply(const std::vector<run::Job>& jobs, run::Settings& settings) const;
};

/// The image and its parts. Errors: infra.
Result<scenario::Catalog> load_catalog(const artifact::Image& image);

/// A file or folder of the scenarios that come with this program, e.g. "bench/oracle/busy.toml".
std::string shipped_scenarios(const std::string& name);

/// The scenario files behind `paths`: files as they are, folders with all *.toml below, sorted. Errors:
/// scenario.
Result<std::vector<std::filesystem::path>> scenario_files(const std::vector<std::string>& paths);

/// Reads all files; every defect of every file is told at once. Errors: scenario.
Result<std::vector<run::Job>> load_jobs(const std::vector<std::string>& paths,
                                        const scenario::Catalog& catalog);

/// The one scenario that `path` names. Errors: scenario, also when it names several.
Result<run::Job> load_job(const std::string& path, const scenario::Catalog& catalog);

/// Those of the scenarios that are silent in one phase, then plant a fault and expect it to be seen.
std::vector<scenario::Proof> proofs_among(const std::vector<run::Job>& jobs);

/// Prints the error and returns its exit code: 2 for what the user wrote, 130 for what the user broke off,
/// else 3.
int report_error(const Error& error);

}  // namespace luf::cli
