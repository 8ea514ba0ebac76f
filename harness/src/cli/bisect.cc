#include "run/bisect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/scratch.h"
#include "cli/command.h"
#include "cli/session.h"
#include "run/campaign.h"

namespace luf::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string scenario;
  std::string variant = "luf";
  std::string accel;
  std::int64_t seed = -1;  ///< below 0: the scenario's
  std::int64_t count = 3;
  GuestOptions guest;
};

/// guest-kernel/ of this project, and the patches of its series.
struct Series {
  fs::path directory;
  std::vector<std::string> patches;
};

Result<Series> find_series() {
  Series series{(executable_directory() / "../../../guest-kernel").lexically_normal(), {}};
  const Result<std::string> text = read_file(series.directory / "patches/series");
  if (!text) return pass_on(text);
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.front() != '#') series.patches.push_back(line);
  }
  if (series.patches.empty())
    return fail(Blame::kScenario, "the series in {} is empty", series.directory.string());
  return series;
}

/// The options that patches from `count` on bring: configuration lines for them cannot survive without.
Result<std::set<std::string>> later_options(const Series& series, std::size_t count) {
  static const std::regex kNew("(^|\n)\\+config ([A-Z0-9_]+)");
  std::set<std::string> options;
  for (std::size_t i = count; i < series.patches.size(); ++i) {
    const Result<std::string> patch = read_file(series.directory / "patches" / series.patches[i]);
    if (!patch) return pass_on(patch);
    for (std::sregex_iterator at(patch->begin(), patch->end(), kNew), end; at != end; ++at)
      options.insert("CONFIG_" + (*at)[2].str());
  }
  return options;
}

Result<void> drop_lines(const fs::path& file, const std::set<std::string>& options) {
  const Result<std::string> text = read_file(file);
  if (!text) return pass_on(text);
  std::istringstream lines(*text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (!options.contains(line.substr(0, line.find('=')))) kept += line + "\n";
  }
  return write_file(file, kept);
}

/// A copy of guest-kernel/ with the first `count` patches only. Errors: infra.
Result<void> copy_series(const Series& series, std::size_t count, const fs::path& to) {
  std::error_code error;
  fs::copy(series.directory, to, fs::copy_options::recursive, error);
  if (error) return fail(Blame::kInfra, "cannot copy {}: {}", series.directory.string(), error.message());
  const Result<std::set<std::string>> later = later_options(series, count);
  if (!later) return pass_on(later);
  for (const char* folder : {"config", "variants"}) {
    for (const fs::directory_entry& file : fs::directory_iterator(to / folder)) {
      if (Result<void> dropped = drop_lines(file.path(), *later); !dropped) return dropped;
    }
  }
  const std::vector<std::string> first(series.patches.begin(),
                                       series.patches.begin() + static_cast<std::ptrdiff_t>(count));
  return write_file(to / "patches/series", fmt::format("{}\n", fmt::join(first, "\n")));
}

/// Builds the kernel with the first `count` patches; its directory. Errors: infra, also when it does not build.
Result<fs::path> build_kernel(const Series& series, std::size_t count, const std::string& variant) {
  const Result<Scratch> scratch = Scratch::directory("lufbed-bisect-");
  if (!scratch) return pass_on(scratch);
  const fs::path copy = scratch->path() / "guest-kernel";
  if (const Result<void> copied = copy_series(series, count, copy); !copied) return pass_on(copied);
  const std::string command = shell_quote((copy / "build").string()) + " " + shell_quote(variant);
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> line{};
  if (pipe != nullptr) static_cast<void>(std::fgets(line.data(), static_cast<int>(line.size()), pipe));
  if (pipe == nullptr || ::pclose(pipe) != 0)
    return fail(Blame::kInfra, "the kernel with {} patches was not built", count);
  const std::string directory(line.data());
  return fs::path(directory.substr(0, directory.find('\n')));
}

struct Step {
  run::Tried tried = run::Tried::kUntestable;
  std::string why;
  std::string fingerprint;  ///< of the failure; empty when it was no finding
};

/// One failure makes it bad; it is good when all are green. `fingerprint`: of the failure that is looked for, empty for any;
/// a kernel that fails otherwise tells nothing.
Step judge(const std::vector<report::Summary>& summaries, const std::string& fingerprint) {
  using judge::Outcome;
  const auto is_it = [&fingerprint](const report::Summary& one) {
    return one.verdict.outcome == Outcome::kFail && (fingerprint.empty() || one.fingerprint == fingerprint);
  };
  const auto found = std::find_if(summaries.begin(), summaries.end(), is_it);
  if (found != summaries.end())
    return {run::Tried::kBad,
            fmt::format("{} of {} fail: {}", std::count_if(summaries.begin(), summaries.end(), is_it),
                        summaries.size(), found->verdict.reason),
            found->fingerprint};
  for (const report::Summary& summary : summaries) {
    if (summary.verdict.outcome == Outcome::kFail)
      return {run::Tried::kUntestable, "fails otherwise: " + summary.verdict.reason, {}};
    if (summary.verdict.outcome != Outcome::kPass && summary.verdict.outcome != Outcome::kKnownFailure)
      return {run::Tried::kUntestable,
              fmt::format("{}: {}", to_string(summary.verdict.outcome), summary.verdict.reason),
              {}};
  }
  return {run::Tried::kGood, fmt::format("{} of {} pass", summaries.size(), summaries.size()), {}};
}

class Bisector {
 public:
  Bisector(const Options& options, Series series, run::Job job)
      : options_(options), series_(std::move(series)), job_(std::move(job)) {}

  /// Returns the exit code.
  int run() {
    const std::size_t all = series_.patches.size();
    const Result<Step> whole = attempt(all);
    if (!whole) return report_error(whole.error());
    if (whole->tried != run::Tried::kBad) {
      fmt::print(stderr, "the whole series was not seen to fail, so there is nothing to look for\n");
      return kExitInfra;
    }
    fingerprint_ = whole->fingerprint;
    run::Bisection bisection(all);
    while (const std::optional<std::size_t> number = bisection.next()) {
      const Result<Step> step = attempt(*number);
      if (!step) return report_error(step.error());
      bisection.tell(*number, step->tried);
    }
    return conclude(bisection);
  }

 private:
  Result<Step> attempt(std::size_t count) {
    fmt::print("{:>3} of {} patches, up to {}: ", count, series_.patches.size(), series_.patches[count - 1]);
    std::fflush(stdout);
    Result<Step> step = try_kernel(count);
    if (step) fmt::print("{}\n", step->why);
    return step;
  }

  /// Errors: all but a kernel that cannot be built.
  Result<Step> try_kernel(std::size_t count) {
    const Result<fs::path> directory = build_kernel(series_, count, options_.variant);
    if (!directory) return Step{run::Tried::kUntestable, directory.error().message, {}};
    GuestOptions guest = options_.guest;
    guest.locations.kernel_dir = directory->string();
    Result<run::Settings> settings = guest.settings();
    if (!settings) return pass_on(settings);
    if (!options_.accel.empty()) settings->accel = options_.accel;
    std::vector<run::Job> jobs;
    for (std::int64_t i = 0; i < options_.count; ++i) {
      run::Job job = job_;
      if (options_.seed >= 0) job.scenario.seed = options_.seed;
      job.scenario.seed += i;
      job.file.clear();
      jobs.push_back(std::move(job));
    }
    const Result<run::Outcome> outcome = run_jobs(*settings, jobs);
    if (!outcome) return pass_on(outcome);
    if (outcome->interrupted) return fail(Blame::kCancelled, "interrupted");
    return judge(outcome->summaries, fingerprint_);
  }

  int conclude(const run::Bisection& bisection) const {
    const auto at = [this](std::size_t number) {
      return series_.patches.begin() + static_cast<std::ptrdiff_t>(number);
    };
    const std::vector<std::string> suspects(at(bisection.good()), at(bisection.bad()));
    if (suspects.size() == 1)
      fmt::print("first bad patch: {}\n", suspects.front());
    else
      fmt::print("one of these, between which nothing could be tested:\n  {}\n", fmt::join(suspects, "\n  "));
    return 0;
  }

  const Options& options_;
  Series series_;
  run::Job job_;
  std::string fingerprint_;  ///< of the failure that is looked for; empty until it was seen
};

/// Looked at before a kernel is built for it. Errors: scenario; infra.
Result<run::Job> find_job(const Options& options) {
  const Result<artifact::Image> image = artifact::image_in(options.guest.locations.image());
  if (!image) return pass_on(image);
  const Result<scenario::Catalog> catalog = load_catalog(*image);
  if (!catalog) return pass_on(catalog);
  return load_job(options.scenario, *catalog);
}

int execute(const Options& options) {
  Result<Series> series = find_series();
  if (!series) return report_error(series.error());
  Result<run::Job> job = find_job(options);
  if (!job) return report_error(job.error());
  return Bisector(options, *std::move(series), *std::move(job)).run();
}

}  // namespace

void add_bisect(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("bisect", "Find the patch of the series that makes a scenario fail, by halving");
  command->add_option("scenario", options->scenario, "The scenario file")->required();
  command->add_option("--seed", options->seed, "The seed that fails; the scenario's when not given")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--count", options->count,
                   "Guests for each kernel, a seed each from that one on; one failure makes the kernel bad")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  command->add_option("--variant", options->variant, "Of the kernel")->capture_default_str();
  command->add_option("--accel", options->accel, "Override the scenario: auto, tcg or kvm")
      ->check(CLI::IsMember({"auto", "tcg", "kvm"}));
  command->add_option("--qemu", options->guest.qemu, "The QEMU to use")->capture_default_str();
  command->add_option("--runs", options->guest.runs, "Where run directories go")->capture_default_str();
  command->add_option("--image-dir", options->guest.locations.image_dir,
                      "Directory of the guest image (LUFBED_IMAGE_DIR)");
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
