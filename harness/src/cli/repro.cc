#include "run/repro.h"

#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "base/scratch.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/session.h"
#include "report/stats.h"
#include "run/debug.h"
#include "run/explore.h"
#include "run/pack.h"
#include "run/run_scenario.h"

namespace luf::cli {
namespace {

constexpr int kExitNotTheSame = 1;

struct Options {
  GuestOptions guest;
  std::string run;
  std::int64_t times = 1;
  std::string oracle = "off";
  bool gdb = false;
  bool batch = false;
  std::string before;
  std::vector<std::string> commands;
};

struct Repeats {
  std::int64_t runs = 0;
  std::int64_t same_violation = 0;
  std::int64_t exact = 0;
  std::string difference;  ///< of the first one that was not the same
  std::string oracle;      ///< what it said of the last one; empty: it was off
  std::filesystem::path where;
};

Task<Result<Repeats>> repeat(const run::Environment& environment, const run::Settings& settings,
                             const run::Recorded& recorded, std::int64_t times) {
  const Result<run::Ready> ready = co_await run::ready_to_repeat(environment, settings, recorded);
  if (!ready) co_return pass_on(ready);
  const run::AccelChoice accel{recorded.accel == "kvm" ? machine::Accel::kKvm : machine::Accel::kTcg,
                               "as in the run that is repeated"};
  Repeats repeats;
  for (std::int64_t i = 0; i < times && !environment.interrupt.asked(); ++i) {
    const report::Summary summary =
        co_await run::run_scenario(environment, ready->settings, recorded.job, accel, ready->qemu_version);
    const Result<run::Recorded> again = run::read_run(summary.directory, settings.catalog);
    if (!again) co_return fail(Blame::kInfra, "{}: {}", summary.verdict.reason, again.error().message);
    const run::Sameness same = run::compare(recorded, *again);
    repeats.oracle = summary.oracle ? judge::to_line(*summary.oracle) : "";
    ++repeats.runs;
    repeats.same_violation += same.violation ? 1 : 0;
    repeats.exact += same.exact ? 1 : 0;
    if (!same.difference.empty() && repeats.difference.empty()) {
      repeats.difference = same.difference;
      repeats.where = summary.directory;
    } else if (repeats.where.empty()) {
      repeats.where = summary.directory;
    }
  }
  if (environment.interrupt.asked())
    co_return fail(Blame::kCancelled, "stopped after {} repeats", repeats.runs);
  co_return repeats;
}

Task<void> work_with_gdb(const run::Environment& environment, const run::Settings& settings,
                         const run::Recorded& recorded, const run::DebugSession& session,
                         Result<int>& status) {
  const Result<run::Ready> ready = co_await run::ready_to_repeat(environment, settings, recorded);
  if (!ready) {
    status = pass_on(ready);
    co_return;
  }
  status = co_await run::debug(environment, *ready, recorded, session);
}

Task<void> work(const run::Environment& environment, const run::Settings& settings,
                const run::Recorded& recorded, std::int64_t times, Result<Repeats>& repeats) {
  repeats = co_await repeat(environment, settings, recorded, times);
}

int tell(const run::Recorded& recorded, const Repeats& repeats) {
  if (!repeats.oracle.empty())
    fmt::print("oracle: {} ({})\n{}", repeats.oracle, (repeats.where / "oracle.txt").string(),
               read_file(repeats.where / "violations.txt").value_or(""));
  if (recorded.digest) {
    fmt::print("{}: {} of {} repeats have the digest {}\n", recorded.job.name, repeats.exact, repeats.runs,
               recorded.digest->whole().substr(0, 16));
    if (repeats.exact == repeats.runs) {
      fmt::print("the same {}{} ({})\n",
                 recorded.fingerprints.empty() ? "verdict: " : "violation, fingerprint ",
                 recorded.fingerprints.empty() ? recorded.verdict : recorded.fingerprints.front(),
                 repeats.where.string());
      return 0;
    }
    fmt::print(stderr, "a deterministic run differs from its repeat: {} ({})\n", repeats.difference,
               repeats.where.string());
    return kExitInfra;
  }
  const report::Interval rate = report::rate_interval(repeats.same_violation, repeats.runs);
  fmt::print("{}: {} of {} repeats end in the same way; with 95 % confidence {:.0f} % to {:.0f} % do\n",
             recorded.job.name, repeats.same_violation, repeats.runs, 100 * rate.low, 100 * rate.high);
  if (!repeats.difference.empty())
    fmt::print("first other: {} ({})\n", repeats.difference, repeats.where.string());
  return repeats.same_violation > 0 ? 0 : kExitNotTheSame;
}

/// "500" instructions, or "20us" of the time of all virtual CPUs together.
Result<std::uint64_t> instructions_of(const std::string& text, const scenario::Scenario& scenario) {
  if (text.empty()) return 0;
  if (text.find_first_not_of("0123456789") == std::string::npos && text.size() < 18) return std::stoull(text);
  const Result<Nanoseconds> time = parse_duration(text);
  if (!time) return fail(Blame::kScenario, "--before: {}", time.error().message);
  return static_cast<std::uint64_t>(time->count()) >>
         static_cast<unsigned>(scenario.machine.icount.value_or(0));
}

int execute_gdb(const Options& options, const run::Settings& settings, const run::Recorded& recorded) {
  const Result<std::uint64_t> before = instructions_of(options.before, recorded.job.scenario);
  if (!before) return report_error(before.error());
  Session session;
  Result<int> status = -1;
  const run::DebugSession wanted{*before, options.batch, options.commands};
  session.run([&](const run::Environment& environment) {
    return work_with_gdb(environment, settings, recorded, wanted, status);
  });
  if (!status) return report_error(status.error());
  return *status == 0 ? 0 : kExitInfra;
}

Result<run::Recorded> read(const Options& options, const Scratch& scratch, const scenario::Catalog& catalog) {
  if (!std::filesystem::is_regular_file(options.run)) return run::read_run(options.run, catalog);
  const Result<void> unpacked = run::unpack(options.run, scratch.path());
  if (!unpacked) return pass_on(unpacked);
  return run::read_run(scratch.path(), catalog);
}

int execute(const Options& options) {
  Result<run::Settings> settings = options.guest.settings();
  if (!settings) return report_error(settings.error());
  settings->oracle = options.oracle;
  const Result<Scratch> scratch = Scratch::directory("lufbed-repro-");
  if (!scratch) return report_error(scratch.error());
  const Result<run::Recorded> recorded = read(options, *scratch, settings->catalog);
  if (!recorded) return report_error(recorded.error());
  if (options.gdb) return execute_gdb(options, *settings, *recorded);
  Session session;
  Result<Repeats> repeats;
  session.run([&](const run::Environment& environment) {
    return work(environment, *settings, *recorded, options.times, repeats);
  });
  if (!repeats) return report_error(repeats.error());
  return tell(*recorded, *repeats);
}

}  // namespace

void add_repro(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("repro", "Repeat a run and tell whether it came to the same");
  command->add_option("run", options->run, "Its run directory, or a file of `lufbed pack`")->required();
  command->add_option("--times", options->times, "How often")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  CLI::Option* oracle = add_oracle_option(*command, options->oracle);
  CLI::Option* gdb = command->add_flag("--gdb", options->gdb, "Stop at the violation and start gdb there");
  gdb->excludes(oracle);
  command
      ->add_option("--before", options->before,
                   "Stop so many instructions, or so much time (20us), before it")
      ->needs(gdb);
  command->add_option("--gdb-command", options->commands, "Have gdb execute this first; can be given again")
      ->needs(gdb)
      ->allow_extra_args(false);
  command->add_flag("--batch", options->batch, "End gdb after these")->needs(gdb);
  options->guest.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
