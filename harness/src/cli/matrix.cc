#include "report/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/file.h"
#include "cli/command.h"
#include "cli/session.h"
#include "report/agreement.h"
#include "run/campaign.h"
#include "run/matrix.h"

namespace luf::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  GuestOptions guest;
  JobOptions jobs;
  run::MatrixPlan plan;
  std::string silent;
  std::string json;
  std::string html;
  bool no_faults = false;
  bool baseline = false;
  bool idle = false;
  bool agreement = false;
  std::string oracle = "off";
};

bool has_silence(const run::Job& job) {
  return std::any_of(job.scenario.phases.begin(), job.scenario.phases.end(), scenario::is_silent);
}

/// The scenarios that prove something, or where nothing is planted can be silent; those for all faults when none were
/// named. Errors: scenario.
Result<std::vector<run::Job>> load_proofs(const Options& options, const scenario::Catalog& catalog) {
  std::vector<std::string> paths = options.paths;
  if (paths.empty()) {
    for (const char* folder : {"selftest", "litmus"}) paths.push_back(shipped_scenarios(folder));
  }
  Result<std::vector<run::Job>> jobs = load_jobs(paths, catalog);
  if (!jobs) return jobs;
  const bool silence = run::needs_no_fault(options.plan.kind);
  std::erase_if(*jobs, [silence](const run::Job& job) {
    return silence ? !has_silence(job) : proofs_among({job}).empty();
  });
  if (jobs->empty())
    return fail(Blame::kScenario, "{}: no scenario there {}, so there is nothing to table",
                fmt::join(paths, ", "), silence ? "has a phase without a fault" : "plants a fault");
  return jobs;
}

/// The kernel's own checks, as a scenario has them that names them and nothing else. The image always has them.
scenario::Part witness(const scenario::Catalog& catalog) {
  scenario::Part part{scenario::PartKind::kDetector, "tlb_check", "tlb_check", {}};
  if (const scenario::PartType* type = catalog.find(part.kind, part.name)) {
    for (const scenario::Param& param : type->params) part.params[param.name] = param.fallback;
  }
  return part;
}

bool write_report(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  const Result<void> done = write_file(path, text);
  if (!done) report_error(done.error());
  return done.has_value();
}

std::string provenance_of(const Options& options, const run::Settings& settings, std::size_t guests) {
  return fmt::format("kernel  {} {}\nimage   sha256 {}\nseeds   {} to {}\nguests  {}{}\n",
                     settings.kernel.release, settings.kernel.hash, settings.image.initramfs_sha256,
                     options.plan.first_seed, options.plan.first_seed + options.plan.seeds - 1, guests,
                     options.jobs.deterministic ? ", deterministic" : "");
}

int conclude_agreement(const Options& options, const std::string& provenance,
                       const std::vector<report::MatrixGuest>& guests) {
  const std::vector<report::Agreement> agreements = report::agreements(guests);
  const std::vector<std::string> unheard = report::unheard(guests);
  fmt::print("{}\n", report::to_table(agreements));
  for (const std::string& guest : unheard) fmt::print("of no use: {}\n", guest);
  fmt::print("{}", provenance);
  const bool written = write_report(options.json, report::to_json(agreements, provenance, unheard));
  const int code = report::exit_code(agreements, unheard);
  return code == 0 && !written ? kExitInfra : code;
}

int conclude(const Options& options, const run::Settings& settings, const std::vector<run::Job>& jobs,
             const run::Outcome& outcome) {
  std::vector<report::MatrixGuest> guests;
  for (std::size_t i = 0; i < outcome.summaries.size(); ++i)
    guests.push_back({jobs[i].scenario, jobs[i].name, outcome.summaries[i]});
  if (options.plan.kind == run::MatrixKind::kIdle) {
    fmt::print("{}", report::idle_table(guests));
    if (outcome.interrupted) return kExitInterrupted;
    return report::all_idle_noticed(guests) ? 0 : 1;
  }
  const std::string provenance = provenance_of(options, settings, guests.size());
  if (options.agreement)
    return outcome.interrupted ? kExitInterrupted : conclude_agreement(options, provenance, guests);
  const bool whole =
      options.paths.empty() && !outcome.interrupted && options.plan.kind == run::MatrixKind::kFaults;
  const report::Matrix matrix = report::tabulate(guests, whole);
  fmt::print("{}{}", report::to_table(matrix), provenance);
  const bool written = write_report(options.json, report::to_json(matrix, provenance)) &&
                       write_report(options.html, report::to_html(matrix, provenance));
  if (outcome.interrupted) return kExitInterrupted;
  const int code = report::exit_code(matrix);
  return code == 0 && !written ? kExitInfra : code;
}

int execute(Options options) {
  if (options.no_faults) options.plan.kind = run::MatrixKind::kNoFaults;
  if (options.baseline) options.plan.kind = run::MatrixKind::kBaseline;
  if (options.idle) options.plan.kind = run::MatrixKind::kIdle;
  if (options.agreement) {
    options.plan.kind = run::MatrixKind::kAgreement;
    options.jobs.deterministic = true;
    if (options.oracle == "off") options.oracle = "violations";
  }
  if (!options.silent.empty()) {
    const Result<Nanoseconds> silent = parse_duration(options.silent);
    if (!silent) return report_error(Error{Blame::kScenario, "--silent: " + silent.error().message});
    options.plan.silent = *silent;
  }
  Result<run::Settings> settings = options.guest.settings();
  if (!settings) return report_error(settings.error());
  settings->oracle = options.oracle;
  if (options.oracle != "off") settings->accel = "tcg";
  if (options.agreement) options.plan.witnesses.push_back(witness(settings->catalog));
  const Result<std::vector<run::Job>> proofs = load_proofs(options, settings->catalog);
  if (!proofs) return report_error(proofs.error());
  std::vector<run::Job> jobs = run::matrix_jobs(*proofs, options.plan);
  if (const Result<void> applied = options.jobs.apply(jobs, *settings); !applied)
    return report_error(applied.error());
  const Result<run::Outcome> outcome = run_jobs(*settings, jobs);
  if (!outcome) return report_error(outcome.error());
  return conclude(options, *settings, jobs, *outcome);
}

}  // namespace

void add_matrix(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("matrix", "Plant every fault and table which detector sees it, and how soon");
  command->add_option("paths", options->paths,
                      "Scenarios that plant faults, or folders of them (scenarios/selftest and "
                      "scenarios/litmus); with --no-faults and "
                      "--baseline also others");
  command->add_option("--seeds", options->plan.seeds, "Guests for each scenario, a seed each")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  command->add_option("--seed", options->plan.first_seed, "The first seed; the next guest has the next one")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  auto* full = command->add_flag("--full", options->plan.full,
                                 "Plant every fault in every scenario, not only in those made for it");
  command->add_option("--silent", options->silent,
                      "Guest time without a fault in all, e.g. 30min, instead of what the scenarios say");
  auto* no_faults = command->add_flag("--no-faults", options->no_faults, "Plant nothing: all must be silent");
  auto* baseline = command->add_flag("--baseline", options->baseline,
                                     "Switch LUF off and plant nothing: all must be silent, on any kernel");
  auto* idle =
      command->add_flag("--idle", options->idle,
                        "Take the injectors away and plant nothing: every verdict must be \"vacuous\"");
  no_faults->excludes(full)->excludes(baseline);
  idle->excludes(baseline)->excludes(no_faults);
  auto* agreement =
      command->add_flag("--agreement", options->agreement,
                        "Table what detectors, the kernel's checks and the oracle each say of 5 s of every "
                        "fault, and of silent phases");
  agreement->excludes(baseline)->excludes(idle)->excludes(full)->excludes(no_faults);
  add_oracle_option(*command, options->oracle);
  options->jobs.add_options(*command);
  command->add_option("--json", options->json, "Write the matrix as JSON");
  command->add_option("--html", options->html, "Write the matrix as a page")->excludes(agreement);
  options->guest.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
