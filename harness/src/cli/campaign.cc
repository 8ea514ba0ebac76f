#include "run/campaign.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>

#include "base/file.h"
#include "cli/command.h"
#include "cli/history_options.h"
#include "cli/session.h"
#include "run/run_campaign.h"

namespace luf::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string file;
  HistoryOption history;
  GuestOptions guest;
  MachineOptions machine;
  std::string shard;
  std::string id;
  bool plan_only = false;
};

/// The first line that a program of guest-kernel/ prints; empty when it prints none.
std::string first_line_of(const std::string& program, const std::string& arguments) {
  const fs::path file = (executable_directory() / "../../../guest-kernel" / program).lexically_normal();
  const std::string command = shell_quote(file.string()) + " " + arguments;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 4096> line{};
  if (!pipe || std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) == nullptr) return {};
  const std::string text(line.data());
  return text.substr(0, text.find('\n'));
}

/// Errors: infra, when it was not built; scenario.
Result<artifact::Kernel> kernel_of_variant(const std::string& variant) {
  const std::string directory =
      first_line_of("build", "--print-dir " + shell_quote(variant) + " 2>/dev/null");
  if (directory.empty())
    return fail(
        Blame::kInfra,
        "the kernel variant {} is not built, or there is none of that name; run `./lufbed kernel build {}`",
        variant, variant);
  return artifact::kernel_in(directory);
}

/// Builds it if need be; what goes wrong then is told by the script. Errors: infra.
Result<artifact::Kernel> kernel_of_commit(const fs::path& tree, const std::string& commit) {
  const std::string directory =
      first_line_of("build-commit", shell_quote(tree.string()) + " " + shell_quote(commit));
  if (directory.empty()) return fail(Blame::kInfra, "commit {} of {} was not built", commit, tree.string());
  return artifact::kernel_in(directory);
}

/// The variant "luf" is the kernel that every other command boots, wherever that was set to lie.
Result<artifact::Kernel> find_kernel(const scenario::CampaignKernel& wanted, const Options& options) {
  const fs::path here = fs::absolute(options.file).parent_path();
  if (!wanted.path.empty()) return artifact::kernel_from(here / wanted.path);
  if (!wanted.tree.empty()) return kernel_of_commit(here / wanted.tree, wanted.commit);
  if (wanted.variant == "luf") return artifact::kernel_in(options.guest.locations.kernel());
  return kernel_of_variant(wanted.variant);
}

struct Loaded {
  scenario::CampaignFile file;
  run::Settings settings;
  std::vector<run::Planned> plan;  ///< of the whole campaign
};

Result<Loaded> load(const Options& options) {
  const Result<std::string> text = read_file(options.file);
  if (!text) return fail(Blame::kScenario, "{}", text.error().message);
  const Result<scenario::CampaignFile> file = scenario::parse_campaign(*text, options.file);
  if (!file) return pass_on(file);
  Loaded loaded{*file, {}, {}};
  std::vector<run::FoundKernel> kernels;
  for (const scenario::CampaignKernel& wanted : file->kernels) {
    const Result<artifact::Kernel> kernel = find_kernel(wanted, options);
    if (!kernel) return fail(kernel.error().blame, "kernel {}: {}", wanted.name, kernel.error().message);
    kernels.push_back({wanted, *kernel});
  }
  const Result<artifact::Image> image = artifact::image_in(options.guest.locations.image());
  if (!image) return pass_on(image);
  const Result<scenario::Catalog> catalog = load_catalog(*image);
  if (!catalog) return pass_on(catalog);
  run::Settings& settings = loaded.settings;
  settings.kernel = kernels.front().kernel;
  settings.image = *image;
  settings.catalog = *catalog;
  settings.modules = options.guest.modules;
  settings.qemu = options.guest.qemu;
  settings.runs = options.guest.runs;
  settings.executable = executable_directory() / "lufbed";
  std::vector<std::string> paths;
  for (const std::string& path : file->scenarios)
    paths.push_back((fs::absolute(options.file).parent_path() / path).lexically_normal().string());
  const Result<std::vector<run::Job>> jobs = load_jobs(paths, *catalog);
  if (!jobs) return pass_on(jobs);
  Result<std::vector<run::Planned>> plan = run::plan_of(*file, *jobs, kernels, *catalog);
  if (!plan) return pass_on(plan);
  loaded.plan = *std::move(plan);
  if (const Result<void> applied = options.machine.apply(*jobs, settings); !applied) return pass_on(applied);
  return loaded;
}

std::string new_id() {
  std::random_device random;
  return fmt::format("{:08x}", random());
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void tell_of_clock(const std::vector<history::Campaign>& campaigns) {
  std::int64_t latest = 0;
  for (const history::Campaign& campaign : campaigns) latest = std::max(latest, campaign.ended);
  if (const std::int64_t back = latest - unix_now(); back > 1)
    fmt::print(stderr,
               "the host's clock is {} s behind the last run of this history; order and budget do not depend "
               "on it\n",
               back);
}

/// The one to go on with, or a new one. Errors: infra; scenario, when `--id` names another plan.
Result<history::Campaign> choose(history::History& history, const Options& options, const Loaded& loaded,
                                 std::size_t planned) {
  const Result<std::vector<history::Campaign>> campaigns = history.campaigns();
  if (!campaigns) return pass_on(campaigns);
  tell_of_clock(*campaigns);
  history::Campaign wanted;
  wanted.name = fs::path(options.file).stem().string();
  wanted.plan = run::plan_hash(loaded.plan);
  wanted.shard = options.shard;
  for (auto at = campaigns->rbegin(); at != campaigns->rend(); ++at) {
    const bool same = at->name == wanted.name && at->plan == wanted.plan && at->shard == wanted.shard;
    if (!options.id.empty() && at->id == options.id && !same)
      return fail(Blame::kScenario, "--id {} is campaign {} of this history, which has another plan or shard",
                  at->id, at->number);
    if (options.id.empty() ? same && at->is_open() : same && at->id == options.id) return *at;
  }
  wanted.id = options.id.empty() ? new_id() : options.id;
  wanted.planned = static_cast<std::int64_t>(planned);
  wanted.started = unix_now();
  if (const Result<void> begun = history.begin(wanted); !begun) return pass_on(begun);
  return wanted;
}

Task<void> work(const run::Environment& environment, run::CampaignWork campaign,
                Result<history::Campaign>& ended) {
  ended = co_await run::run_campaign(environment, std::move(campaign));
}

int conclude(history::History& history, const history::Campaign& campaign) {
  const Result<report::CampaignReport> report = load_report(history, campaign);
  if (!report) return report_error(report.error());
  fmt::print("{}", report::to_table(*report));
  if (campaign.state == history::State::kInterrupted) return kExitInterrupted;
  return report::exit_code(report::summaries_of(*report));
}

void print_plan(const std::vector<run::Planned>& plan) {
  for (const run::Planned& planned : plan)
    fmt::print("{}  {} · {} · {} · {} CPUs · seed {}\n", planned.key, planned.job.name, planned.kernel,
               planned.job.scenario.kernel.points, planned.job.scenario.machine.cpus,
               planned.job.scenario.seed);
}

int execute(const Options& options) {
  if (!options.shard.empty() && options.id.empty())
    return report_error(
        {Blame::kScenario,
         "--shard needs --id, the same for all shards, so that `lufbed merge` knows what belongs "
         "together"});
  const Result<run::Shard> shard =
      options.shard.empty() ? Result<run::Shard>(run::Shard{}) : run::parse_shard(options.shard);
  if (!shard) return report_error(shard.error());
  Result<Loaded> loaded = load(options);
  if (!loaded) return report_error(loaded.error());
  const std::vector<run::Planned> plan = run::cases_of_shard(loaded->plan, *shard);
  if (options.plan_only) return print_plan(plan), 0;
  std::vector<run::Job> jobs;
  for (const run::Planned& planned : plan) jobs.push_back(planned.job);
  place(jobs, static_cast<std::size_t>(loaded->file.guests), loaded->settings);
  const Result<history::Hold> hold = history::Hold::take(options.history.file);
  if (!hold) return report_error(hold.error());
  Result<history::History> history = history::History::open(options.history.file, true);
  if (!history) return report_error(history.error());
  const Result<history::Campaign> campaign = choose(*history, options, *loaded, plan.size());
  if (!campaign) return report_error(campaign.error());
  Session session;
  Result<history::Campaign> ended;
  session.run([&](const run::Environment& environment) {
    return work(environment,
                run::CampaignWork{loaded->settings, plan, *history, *campaign, loaded->file.repeats,
                                  loaded->file.budget},
                ended);
  });
  if (!ended) return report_error(ended.error());
  return conclude(*history, *ended);
}

}  // namespace

void add_campaign(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("campaign", "Run what a campaign file says, and keep it in a history");
  command->add_option("file", options->file, "The campaign file (docs/campaign.md)")->required();
  options->history.add_to(*command);
  command->add_option("--shard", options->shard, "Only this part of it, as i/n; needs --id");
  command->add_option(
      "--id", options->id,
      "Names this campaign: begins it, or goes on with it; else the last one that is not finished "
      "goes on, or a new one begins");
  command->add_flag("--plan", options->plan_only, "Only print the cases");
  options->machine.add_options(*command);
  command->add_option("--runs", options->guest.runs, "Where run directories go")->capture_default_str();
  command->add_option("--qemu", options->guest.qemu, "The QEMU to use")->capture_default_str();
  options->guest.locations.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
