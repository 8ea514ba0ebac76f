#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "cli/command.h"
#include "cli/session.h"
#include "report/summary.h"
#include "run/campaign.h"

namespace luf::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  Locations locations;
  std::string kernel;
  std::string modules;
  std::string append;
  std::string json;
  std::string junit;
  MachineOptions machine;
  std::string oracle = "off";
  std::string runs = "runs";
  std::string qemu = "qemu-system-x86_64";
  std::int64_t seed = -1;
  JobOptions jobs;
  bool cold = false;
};

Result<run::Settings> make_settings(const Options& options) {
  run::Settings settings;
  const Result<artifact::Kernel> kernel = options.locations.kernel_or(options.kernel);
  if (!kernel) return pass_on(kernel);
  settings.kernel = *kernel;
  settings.runs = options.runs;
  settings.qemu = options.qemu;
  settings.append = options.append;
  settings.modules = options.modules;
  settings.executable = executable_directory() / "lufbed";
  settings.cold = options.cold;
  settings.oracle = options.oracle;
  return settings;
}

/// The oracle looks into QEMU's emulation. Errors: scenario.
Result<void> make_observable(run::Settings& settings) {
  if (settings.oracle == "off") return {};
  if (settings.machine == "libvirt")
    return fail(Blame::kScenario, "--oracle {} needs a QEMU of our own: leave out --machine libvirt",
                settings.oracle);
  if (settings.accel.value_or("auto") == "kvm")
    return fail(Blame::kScenario, "--oracle {} needs emulation: leave out --accel kvm", settings.oracle);
  settings.accel = "tcg";
  return {};
}

/// Writes the reports that were asked for; true when all could be written.
bool write_reports(const Options& options, const std::vector<report::Summary>& summaries) {
  bool written = true;
  for (const auto& [path, text] : {std::pair{options.json, report::to_json(summaries)},
                                   std::pair{options.junit, report::to_junit(summaries)}}) {
    if (path.empty()) continue;
    const Result<void> done = write_file(path, text);
    if (!done) report_error(done.error());
    written = written && done;
  }
  return written;
}

int execute(const Options& options) {
  const Result<artifact::Image> image = artifact::image_in(options.locations.image());
  if (!image) return report_error(image.error());
  const Result<scenario::Catalog> catalog = load_catalog(*image);
  if (!catalog) return report_error(catalog.error());
  Result<std::vector<run::Job>> jobs = load_jobs(options.paths, *catalog);
  if (!jobs) return report_error(jobs.error());
  Result<run::Settings> settings = make_settings(options);
  if (!settings) return report_error(settings.error());
  if (const Result<void> applied = options.jobs.apply(*jobs, *settings); !applied)
    return report_error(applied.error());
  if (const Result<void> applied = options.machine.apply(*jobs, *settings); !applied)
    return report_error(applied.error());
  if (const Result<void> made = make_observable(*settings); !made) return report_error(made.error());
  settings->image = *image;
  settings->catalog = *catalog;
  if (options.seed >= 0) {
    for (run::Job& job : *jobs) job.scenario.seed = options.seed;
  }
  const Result<run::Outcome> outcome = run_jobs(*settings, *jobs);
  if (!outcome) return report_error(outcome.error());
  fmt::print("{}", report::to_table(outcome->summaries));
  const bool written = write_reports(options, outcome->summaries);
  if (outcome->interrupted) return kExitInterrupted;
  const int code = report::exit_code(outcome->summaries);
  return code == 0 && !written ? kExitInfra : code;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Run scenarios, one guest each");
  command->add_option("paths", options->paths, "Scenario files, or folders of them")->required();
  command->add_option("--kernel", options->kernel,
                      "A vmlinux or bzImage to test instead of the one built here");
  command->add_option("--modules", options->modules, "Module directory of that kernel");
  command->add_option("--append", options->append, "Further words for the kernel command line");
  command->add_option("--json", options->json, "Write the results as JSON");
  command->add_option("--junit", options->junit, "Write the results as JUnit XML");
  options->machine.add_options(*command);
  add_oracle_option(*command, options->oracle);
  command->add_option("--runs", options->runs, "Where run directories go")->capture_default_str();
  command->add_option("--qemu", options->qemu, "The QEMU to use")->capture_default_str();
  command->add_option("--seed", options->seed, "Override the scenarios' seed")->check(CLI::NonNegativeNumber);
  options->jobs.add_options(*command);
  command->add_flag("--cold", options->cold,
                    "Boot every guest; else a deterministic one is cloned from a booted one");
  options->locations.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
