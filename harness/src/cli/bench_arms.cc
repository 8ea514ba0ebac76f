#include "cli/bench_arms.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/sha256.h"
#include "cli/session.h"
#include "run/accel.h"
#include "run/campaign.h"

namespace luf::cli {
namespace {

namespace fs = std::filesystem;

struct Ran {
  Result<std::string> version;
  Result<run::Outcome> outcome;
};

Task<void> work(const run::Environment& environment, const run::Settings& settings,
                const std::vector<run::Job>& jobs, Ran& ran) {
  ran.version = co_await run::qemu_version(environment, settings.qemu);
  if (!ran.version) co_return;
  ran.outcome = co_await run::run_all(environment, settings, jobs);
}

Result<run::Settings> settings_of(const ArmOptions& options, const artifact::Image& image) {
  run::Settings settings;
  const Result<artifact::Kernel> kernel = options.locations.kernel_or(options.kernel);
  if (!kernel) return pass_on(kernel);
  const Result<scenario::Catalog> catalog = load_catalog(image);
  if (!catalog) return pass_on(catalog);
  settings.kernel = *kernel;
  settings.image = image;
  settings.catalog = *catalog;
  settings.qemu = options.qemu;
  settings.runs = options.runs;
  settings.executable = executable_directory() / "lufbed";
  return settings;
}

Result<std::string> kernel_line(const artifact::Kernel& kernel) {
  const Result<std::string> hash = sha256_of_file(kernel.file);
  if (!hash) return pass_on(hash);
  return fmt::format("{} sha256 {} ({})", kernel.release, *hash, kernel.file.string());
}

Result<std::string> provenance_of(const run::Settings& settings, const run::Experiment& experiment,
                                  const std::string& version) {
  const Result<std::string> kernel = kernel_line(settings.kernel);
  if (!kernel) return kernel;
  std::string text = fmt::format("kernel  {}\n", *kernel);
  for (const run::Arm& arm : experiment.arms) {
    if (!arm.kernel) continue;
    const Result<std::string> other = kernel_line(*arm.kernel);
    if (!other) return other;
    text += fmt::format("{:<7} {}\n", arm.name, *other);
  }
  return text + fmt::format("image   sha256 {}\nqemu    {}\nseeds   {} to {}\n",
                            settings.image.initramfs_sha256, version, experiment.first_seed,
                            experiment.first_seed + experiment.boots - 1);
}

}  // namespace

void ArmOptions::add_options(CLI::App& command, const std::string& folder) {
  scenarios = shipped_scenarios("bench/" + folder);
  command.add_option("--boots", boots, "Guests for each arm")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command.add_option("--seed", seed, "Of the first guest of each arm; the next has the next one")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--scenarios", scenarios, "Folder of the loads (scenarios/bench/" + folder + ")");
  command.add_option("--kernel", kernel, "A vmlinux or bzImage to boot instead of the one built here");
  command.add_option("--qemu", qemu, "The QEMU to use")->capture_default_str();
  command.add_option("--runs", runs, "Where run directories go")->capture_default_str();
  locations.add_options(command);
}

std::vector<std::string> ArmOptions::words() const {
  std::vector<std::string> words{"--boots", std::to_string(boots), "--seed", std::to_string(seed)};
  words.insert(words.end(), {"--scenarios", fs::absolute(scenarios).string()});
  if (kernel.empty()) {
    words.insert(words.end(), {"--kernel-dir", fs::absolute(locations.kernel()).string()});
  } else {
    words.insert(words.end(), {"--kernel", fs::absolute(kernel).string()});
  }
  words.insert(words.end(), {"--image-dir", fs::absolute(locations.image()).string(), "--qemu", qemu});
  return words;
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line = shell_quote((executable_directory() / "lufbed").string());
  for (const std::string& word : words) line += " " + shell_quote(word);
  return line;
}

Result<std::vector<run::Job>> bench_cases(const ArmOptions& options) {
  const Result<artifact::Image> image = artifact::image_in(options.locations.image());
  if (!image) return pass_on(image);
  const Result<scenario::Catalog> catalog = load_catalog(*image);
  if (!catalog) return pass_on(catalog);
  return load_jobs({options.scenarios}, *catalog);
}

Result<Measured> measure(const ArmOptions& options, const run::Experiment& experiment) {
  const Result<artifact::Image> image = artifact::image_in(options.locations.image());
  if (!image) return pass_on(image);
  const Result<run::Settings> settings = settings_of(options, *image);
  if (!settings) return pass_on(settings);
  const std::vector<run::Job> jobs = run::jobs_of(experiment);
  Session session;
  Ran ran;
  session.run([&](const run::Environment& environment) { return work(environment, *settings, jobs, ran); });
  if (!ran.version) return pass_on(ran.version);
  if (!ran.outcome) return pass_on(ran.outcome);
  for (const report::Summary& summary : ran.outcome->summaries) {
    if (ran.outcome->interrupted || summary.verdict.outcome == judge::Outcome::kPass) continue;
    return fail(Blame::kInfra, "{}: {}: {} ({})", summary.scenario, to_string(summary.verdict.outcome),
                summary.verdict.reason, summary.directory.string());
  }
  if (ran.outcome->interrupted)
    return fail(Blame::kCancelled, "stopped after {} of {} guests", ran.outcome->summaries.size(),
                jobs.size());
  const Result<std::string> provenance = provenance_of(*settings, experiment, *ran.version);
  if (!provenance) return pass_on(provenance);
  return Measured{ran.outcome->summaries, *ran.version, *provenance};
}

}  // namespace luf::cli
