#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/file.h"
#include "base/scratch.h"
#include "base/sha256.h"
#include "cli/command.h"
#include "cli/session.h"
#include "judge/ktap.h"
#include "machine/tool.h"
#include "run/campaign.h"

namespace luf::cli {
namespace {

namespace fs = std::filesystem;
using judge::TestRow;

constexpr int kExitDifferent = 1;
constexpr int kExitSkipped = 77;
constexpr std::chrono::seconds kToolPatience(60);
constexpr std::chrono::hours kLongest(2);  // of guest time, all tests of a run together
constexpr std::uint64_t kMemory = std::uint64_t{2}
                                  << 30U;  // the tests want 256 MiB in huge pages and more beside

struct Options {
  Locations locations;
  std::string tests_dir;
  std::string kernel;
  std::string append;
  std::string runs = "runs";
  std::string qemu = "qemu-system-x86_64";
};

fs::path tests_directory(const Options& options) {
  const char* set = std::getenv("LUFBED_SELFTESTS_DIR");
  return !options.tests_dir.empty() ? options.tests_dir : set != nullptr ? set : "";
}

/// A guest that runs the whole list, with LUF on or off.
run::Job job(const std::string& luf, int number, const scenario::Catalog& catalog) {
  scenario::Part part;
  part.name = part.id = "kselftest";
  const scenario::PartType* type = catalog.find(part.kind, part.name);
  for (const scenario::Param& param : type->params) part.params[param.name] = param.fallback;
  scenario::Scenario scenario;
  scenario.title = "the kernel's mm selftests, luf=" + luf;
  scenario.machine.memory = kMemory;
  scenario.kernel.luf = luf;
  // Results come as warnings, as many as there are.
  scenario.kernel.cmdline = "printk.devkmsg=on";
  scenario::Phase phase;
  phase.name = "mm";
  phase.duration = kLongest;
  scenario.phases.push_back(phase);
  scenario.parts.push_back(part);
  return {"kselftest", fmt::format("kselftest/{}-luf-{}", number, luf), scenario};
}

/// The image with the selftests in it, as `file`.
Task<Result<artifact::Image>> extended(const run::Environment& environment, const artifact::Image& base,
                                       fs::path tests, fs::path file) {
  std::vector<std::string> words{(executable_directory() / "luf-initramfs").string(),
                                 "--base",
                                 base.initramfs.string(),
                                 "--tree",
                                 tests.string(),
                                 "--out",
                                 file.string()};
  const Result<std::string> made = co_await machine::run_tool(std::move(words), environment.clock,
                                                              environment.clock.now() + kToolPatience);
  if (!made) co_return pass_on(made);
  const Result<std::string> hash = sha256_of_file(file);
  if (!hash) co_return pass_on(hash);
  artifact::Image image = base;
  image.initramfs = file;
  image.initramfs_size = fs::file_size(file);
  image.initramfs_sha256 = *hash;
  co_return image;
}

Task<void> work(const run::Environment& environment, run::Settings settings, fs::path tests, fs::path file,
                const std::vector<run::Job>& jobs, Result<run::Outcome>& outcome) {
  const Result<artifact::Image> image = co_await extended(environment, settings.image, tests, file);
  if (!image) {
    outcome = pass_on(image);
    co_return;
  }
  settings.image = *image;
  outcome = co_await run::run_all(environment, settings, jobs);
}

std::string row_text(const TestRow& row) {
  std::string text = fmt::format("{:<44}", row.name);
  for (const std::string& end : row.ends) text += fmt::format(" {:<16}", end);
  return text + (row.differs ? " <- differs" : row.steady ? "" : " (unsteady)");
}

/// A test that breaks off takes its remaining subtests with it: hundreds, of which each says the same.
bool is_missing_somewhere(const TestRow& row) {
  return row.subtest && std::find(row.ends.begin(), row.ends.end(), "-") != row.ends.end();
}

/// All tests, of their subtests those that are not the same everywhere. Returns how many rows differ.
std::size_t print_rows(const std::vector<TestRow>& rows) {
  std::size_t subtests = 0;
  std::size_t unsteady = 0;
  std::size_t different = 0;
  std::size_t missing = 0;
  for (const TestRow& row : rows) {
    subtests += row.subtest ? 1 : 0;
    unsteady += row.steady ? 0 : 1;
    different += row.differs ? 1 : 0;
    const bool left_out = is_missing_somewhere(row) && !row.steady;
    missing += left_out ? 1 : 0;
    if (!left_out && (!row.subtest || row.differs || !row.steady)) fmt::print("{}\n", row_text(row));
  }
  fmt::print(
      "\n{} tests and {} subtests: {} the same in all runs, {} unsteady without LUF, {} different with LUF\n",
      rows.size() - subtests, subtests, rows.size() - unsteady - different, unsteady, different);
  if (missing > 0)
    fmt::print("of the unsteady, {} are subtests that some run did not get to; they are not listed\n",
               missing);
  return different;
}

void print_left_out(const fs::path& tests) {
  const std::string list = read_file(tests / "selftests" / "list").value_or("");
  for (std::size_t at = list.find("\nout "); at != std::string::npos; at = list.find("\nout ", at + 1)) {
    const std::string line = list.substr(at + 5, list.find('\n', at + 1) - at - 5);
    fmt::print("left out {}: {}\n", line.substr(0, line.find(' ')), line.substr(line.find(' ') + 1));
  }
}

int conclude(const run::Outcome& outcome, const fs::path& tests) {
  if (outcome.interrupted) return kExitInterrupted;
  std::vector<std::string> consoles;
  for (const report::Summary& summary : outcome.summaries) {
    fmt::print("{} {}: {} deferrals, {:.0f} s, {}\n", to_string(summary.verdict.outcome), summary.scenario,
               summary.deferrals, summary.seconds, summary.directory.string());
    if (summary.verdict.outcome == judge::Outcome::kInfra ||
        summary.verdict.outcome == judge::Outcome::kSkip) {
      fmt::print(stderr, "{}\n", summary.verdict.reason);
      return summary.verdict.outcome == judge::Outcome::kSkip ? kExitSkipped : kExitInfra;
    }
    const Result<std::string> console = read_file(summary.directory / "console.log");
    if (!console) return report_error(console.error());
    consoles.push_back(*console);
  }
  if (outcome.summaries[1].deferrals == 0) {
    fmt::print(stderr, "nothing can be concluded: LUF deferred nothing\n");
    return kExitInfra;
  }
  fmt::print("\n");
  print_left_out(tests);
  fmt::print("\n{:<44} {:<16} {:<16} {:<16}\n", "test", "luf=off", "luf=on", "luf=off");
  const std::vector<TestRow> rows = judge::compare_runs(consoles);
  if (rows.empty()) {
    fmt::print(stderr, "no test has run\n");
    return kExitInfra;
  }
  return print_rows(rows) == 0 ? 0 : kExitDifferent;
}

int execute(const Options& options) {
  const fs::path tests = tests_directory(options);
  if (!fs::exists(tests / "selftests" / "list")) {
    return report_error(
        {Blame::kScenario, fmt::format("no selftests in \"{}\"; ./lufbed kselftest builds them, or name "
                                       "their directory with --tests-dir",
                                       tests.string())});
  }
  run::Settings settings;
  const Result<artifact::Kernel> kernel = options.locations.kernel_or(options.kernel);
  if (!kernel) return report_error(kernel.error());
  const Result<artifact::Image> image = artifact::image_in(options.locations.image());
  if (!image) return report_error(image.error());
  const Result<void> intact = artifact::verify(*image);
  if (!intact) return report_error(intact.error());
  const Result<scenario::Catalog> catalog = load_catalog(*image);
  if (!catalog) return report_error(catalog.error());
  const Result<Scratch> scratch = Scratch::directory("lufbed-kselftest-");
  if (!scratch) return report_error(scratch.error());
  settings.kernel = *kernel;
  settings.image = *image;
  settings.catalog = *catalog;
  settings.runs = options.runs;
  settings.qemu = options.qemu;
  settings.append = options.append;
  settings.executable = executable_directory() / "lufbed";
  settings.accel = "tcg";
  const std::vector<run::Job> jobs{job("off", 1, *catalog), job("on", 2, *catalog), job("off", 3, *catalog)};
  Session session;
  Result<run::Outcome> outcome;
  session.run([&](const run::Environment& environment) {
    return work(environment, settings, tests, scratch->path() / "initramfs.cpio", jobs, outcome);
  });
  return outcome ? conclude(*outcome, tests) : report_error(outcome.error());
}

}  // namespace

void add_kselftest(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "kselftest", "Run the kernel's own mm selftests with LUF off, on and off, and compare what they say");
  command->add_option("--tests-dir", options->tests_dir, "Directory of the selftests (LUFBED_SELFTESTS_DIR)");
  command->add_option("--kernel", options->kernel,
                      "A vmlinux or bzImage to test instead of the one built here");
  command->add_option("--append", options->append, "Further words for the kernel command line");
  command->add_option("--runs", options->runs, "Where run directories go")->capture_default_str();
  command->add_option("--qemu", options->qemu, "The QEMU to use")->capture_default_str();
  options->locations.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
