#include "cli/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "inject/injector.h"
#include "run/admission.h"
#include "run/run_directory.h"
#include "scenario/parse.h"

namespace luf::cli {
namespace {

namespace fs = std::filesystem;

fs::path choose(const std::string& flag, const char* variable, const fs::path& fallback) {
  if (!flag.empty()) return flag;
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? fs::path(value)
                                            : (executable_directory() / fallback).lexically_normal();
}

}  // namespace

void Locations::add_options(CLI::App& command) {
  command.add_option("--kernel-dir", kernel_dir,
                     "Directory of the guest kernel built here (LUFBED_KERNEL_DIR)");
  command.add_option("--image-dir", image_dir, "Directory of the guest image (LUFBED_IMAGE_DIR)");
}

fs::path Locations::kernel() const { return choose(kernel_dir, "LUFBED_KERNEL_DIR", "../../kernel"); }
Result<artifact::Kernel> Locations::kernel_or(const std::string& named) const {
  return named.empty() ? artifact::kernel_in(kernel()) : artifact::kernel_from(named);
}
fs::path Locations::image() const { return choose(image_dir, "LUFBED_IMAGE_DIR", "../images"); }

CLI::Option* add_oracle_option(CLI::App& command, std::string& level) {
  return command
      .add_option(
          "--oracle", level,
          "Check every access of programs against the page tables: off, violations or full (docs/oracle.md)")
      ->check(CLI::IsMember({"off", "violations", "full"}))
      ->capture_default_str();
}

void GuestOptions::add_options(CLI::App& command) {
  command.add_option("--kernel", kernel, "A vmlinux or bzImage to test instead of the one built here");
  command.add_option("--modules", modules, "Module directory of that kernel");
  command.add_option("--runs", runs, "Where run directories go")->capture_default_str();
  command.add_option("--qemu", qemu, "The QEMU to use")->capture_default_str();
  locations.add_options(command);
}

Result<run::Settings> GuestOptions::settings() const {
  run::Settings settings;
  const Result<artifact::Image> image = artifact::image_in(locations.image());
  if (!image) return pass_on(image);
  const Result<scenario::Catalog> catalog = load_catalog(*image);
  if (!catalog) return pass_on(catalog);
  const Result<artifact::Kernel> found = locations.kernel_or(kernel);
  if (!found) return pass_on(found);
  settings.kernel = *found;
  settings.image = *image;
  settings.catalog = *catalog;
  settings.modules = modules;
  settings.qemu = qemu;
  settings.runs = runs;
  settings.executable = executable_directory() / "lufbed";
  return settings;
}

Result<void> make_deterministic(run::Job& job) {
  for (const scenario::Part& part : job.scenario.parts) {
    if (part.on_host)
      return fail(
          Blame::kScenario,
          "{}: the host's injector \"{}\" makes a deterministic run another one each time; leave it out",
          job.name, part.name);
  }
  if (job.scenario.machine.icount) return {};
  job.scenario.machine.icount = scenario::kDefaultIcount;
  // CPUs take turns now: one may be kept from its flush for longer than the kernel's own bound (docs/scenario-format.md).
  scenario::Kernel& kernel = job.scenario.kernel;
  if (kernel.luf == "on") kernel.age = kernel.age.value_or(std::chrono::milliseconds(200));
  return {};
}

void place(const std::vector<run::Job>& jobs, std::size_t asked, run::Settings& settings) {
  run::place(jobs, asked, run::this_host(), settings);
  if (!settings.crowding.empty())
    fmt::print(stderr, "too many: {}; a lockup or a hang of such a guest counts as infra\n",
               settings.crowding);
}

void JobOptions::add_options(CLI::App& command) {
  command.add_flag("--deterministic", deterministic,
                   "Make equal seeds give equal runs, as \"machine.icount = 4\" does");
  command
      .add_option("--jobs", jobs,
                  "Guests at a time; when not given, as many as the host has CPUs and memory for")
      ->check(CLI::Range(1, 64));
}

Result<void> JobOptions::apply(std::vector<run::Job>& given, run::Settings& settings) const {
  for (run::Job& job : given) {
    if (!deterministic) break;
    if (Result<void> made = make_deterministic(job); !made) return made;
  }
  place(given, jobs, settings);
  return {};
}

void MachineOptions::add_options(CLI::App& command) {
  command.add_option("--accel", accel, "Override the scenarios: auto, tcg or kvm")
      ->check(CLI::IsMember({"auto", "tcg", "kvm"}));
  command.add_option("--machine", machine, "Who runs the guests: qemu or libvirt (docs/libvirt.md)")
      ->check(CLI::IsMember({"qemu", "libvirt"}))
      ->capture_default_str();
  command.add_option("--connect", connect,
                     "Libvirt's URI; without it its driver inside this program, no daemon");
}

Result<void> MachineOptions::apply(const std::vector<run::Job>& jobs, run::Settings& settings) const {
  if (!connect.empty() && machine != "libvirt")
    return fail(Blame::kScenario, "--connect {} means nothing without --machine libvirt", connect);
  for (const run::Job& job : jobs) {
    if (!job.scenario.machine.icount) continue;
    if (accel == "kvm")
      return fail(Blame::kScenario, "--accel kvm: {} sets \"machine.icount\", which needs emulation",
                  job.name);
    if (machine == "libvirt")
      return fail(
          Blame::kScenario,
          "--machine libvirt: {} is deterministic (\"machine.icount\"), which needs a QEMU of our own",
          job.name);
  }
  if (!accel.empty()) settings.accel = accel;
  settings.machine = machine;
  settings.connect = connect;
  return {};
}

Result<scenario::Catalog> load_catalog(const artifact::Image& image) {
  const Result<std::string> text = read_file(image.parts);
  if (!text) return pass_on(text);
  Result<scenario::Catalog> catalog = scenario::parse_catalog(*text, image.parts.string());
  if (catalog) inject::add_to(*catalog);
  return catalog;
}

std::string shipped_scenarios(const std::string& name) {
  return (executable_directory() / "../../../scenarios" / name).lexically_normal().string();
}

Result<std::vector<fs::path>> scenario_files(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const fs::path path : paths) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) {
      files.push_back(path);
      continue;
    }
    if (!fs::is_directory(path, error)) {
      return fail(Blame::kScenario, "no such scenario or folder: {}", path.string());
    }
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path, error)) {
      if (entry.is_regular_file() && entry.path().extension() == ".toml") found.push_back(entry.path());
    }
    if (found.empty()) return fail(Blame::kScenario, "no scenario (*.toml) in the folder {}", path.string());
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

Result<std::vector<run::Job>> load_jobs(const std::vector<std::string>& paths,
                                        const scenario::Catalog& catalog) {
  const Result<std::vector<fs::path>> files = scenario_files(paths);
  if (!files) return pass_on(files);
  std::vector<run::Job> jobs;
  std::vector<std::string> defects;
  for (const fs::path& file : *files) {
    const Result<std::string> text = read_file(file);
    if (!text) return fail(Blame::kScenario, "{}", text.error().message);
    const Result<scenario::Scenario> scenario = scenario::parse(*text, file.string(), catalog);
    if (scenario) {
      jobs.push_back({file, run::scenario_name(file), *scenario});
    } else {
      defects.push_back(scenario.error().message);
    }
  }
  if (!defects.empty()) return fail(Blame::kScenario, "{}", fmt::join(defects, "\n"));
  return jobs;
}

Result<run::Job> load_job(const std::string& path, const scenario::Catalog& catalog) {
  const Result<std::vector<run::Job>> jobs = load_jobs({path}, catalog);
  if (!jobs) return pass_on(jobs);
  if (jobs->size() != 1)
    return fail(Blame::kScenario, "{} holds {} scenarios; name one of them", path, jobs->size());
  return jobs->front();
}

std::vector<scenario::Proof> proofs_among(const std::vector<run::Job>& jobs) {
  std::vector<scenario::Proof> proofs;
  for (const run::Job& job : jobs) {
    const auto& phases = job.scenario.phases;
    const auto expects_one = [](const scenario::Phase& phase) { return !scenario::is_silent(phase); };
    // One phase alone is for `explore`: most seeds of it are silent, so it proves nothing.
    if (phases.size() > 1 && std::any_of(phases.begin(), phases.end(), expects_one))
      proofs.push_back({job.name, job.scenario});
  }
  return proofs;
}

int report_error(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  if (error.blame == Blame::kScenario) return kExitUsage;
  return error.blame == Blame::kCancelled ? kExitInterrupted : kExitInfra;
}

}  // namespace luf::cli
