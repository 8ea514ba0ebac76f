#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/session.h"
#include "judge/console.h"
#include "judge/ktap.h"
#include "run/boot_time.h"

namespace luf::cli {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitSkipped = 77;
constexpr std::chrono::minutes kPatience(5);

struct Options {
  Locations locations;
  std::string suite = "luf";
  std::string kernel;
  std::string qemu = "qemu-system-x86_64";
};

Result<machine::QemuSetup> make_setup(const Options& options) {
  const Result<artifact::Kernel> kernel = options.locations.kernel_or(options.kernel);
  if (!kernel) return pass_on(kernel);
  const Result<artifact::Image> image = artifact::image_in(options.locations.image());
  if (!image) return pass_on(image);
  if (const Result<void> intact = artifact::verify(*image); !intact) return pass_on(intact);
  const scenario::Machine machine;
  machine::QemuSetup setup;
  setup.qemu = options.qemu;
  setup.cpus = machine.cpus;
  setup.memory = machine.memory;
  setup.nodes = machine.nodes;
  setup.kernel = kernel->file;
  setup.initramfs = image->initramfs;
  // Results are printed as information, which the usual level leaves out.
  setup.cmdline = fmt::format("loglevel=7 kunit.enable=1 kunit.filter_glob={}", options.suite);
  return setup;
}

/// The first thing that makes this boot a failure whatever the cases say, or nothing.
std::string kernel_fault(const std::string& console) {
  for (const judge::ConsoleHit& hit : judge::scan_console(console)) {
    if (hit.meaning != judge::ConsoleMeaning::kNote) return hit.line;
  }
  return {};
}

/// Prints the cases; returns the exit code.
int tell(const std::string& suite, const judge::SuiteReport& report) {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
  for (const judge::TestResult& result : report.cases) {
    const bool unexplained = result.end == judge::TestEnd::kSkip && result.reason.empty();
    fmt::print("{:<5} {}{}\n", to_string(result.end), result.name,
               unexplained ? ": no reason given, so this is a failure"
                           : (result.reason.empty() ? "" : ": " + result.reason));
    passed += result.end == judge::TestEnd::kPass ? 1 : 0;
    failed += result.end == judge::TestEnd::kFail || unexplained ? 1 : 0;
    skipped += result.end == judge::TestEnd::kSkip && !unexplained ? 1 : 0;
  }
  if (failed > 0) fmt::print("\n{}\n", report.text);
  fmt::print("suite {}: {} passed, {} failed, {} skipped\n", suite, passed, failed, skipped);
  return failed > 0 || passed == 0 ? kExitFailed : 0;
}

int conclude(const std::string& suite, const judge::Observation& seen) {
  const judge::SuiteReport report = judge::suite_report(seen.console, suite);
  const std::string fault = kernel_fault(seen.console);
  if (!fault.empty()) {
    fmt::print("{}the kernel failed: {}\n", report.text, fault);
    return kExitFailed;
  }
  if (seen.end != judge::RunEnd::kDone) {
    fmt::print(stderr, "the guest did not come up: {}\n",
               seen.error ? seen.error->message : "no first event");
    return kExitInfra;
  }
  if (!report.any_kunit) {
    fmt::print("skipped: this kernel was built without KUnit\n");
    return kExitSkipped;
  }
  if (!report.found) {
    fmt::print("{}the suite {} {}\n", report.text, suite,
               report.text.empty() ? "is not in this kernel" : "did not reach its end");
    return kExitFailed;
  }
  return tell(suite, report);
}

Task<void> boot(const run::Environment& environment, const machine::QemuSetup& setup,
                Result<run::FirstEvent>& first) {
  first = co_await run::boot_to_first_event(environment, setup, kPatience);
}

int execute(const Options& options) {
  const Result<machine::QemuSetup> setup = make_setup(options);
  if (!setup) return report_error(setup.error());
  Session session;
  Result<run::FirstEvent> first;
  session.run([&](const run::Environment& environment) { return boot(environment, *setup, first); });
  if (!first) return report_error(first.error());
  return conclude(options.suite, first->seen);
}

}  // namespace

void add_kunit(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("kunit", "Boot the guest kernel's KUnit suite and judge its cases");
  command->add_option("--suite", options->suite, "The suite to run")->capture_default_str();
  command->add_option("--kernel", options->kernel,
                      "A vmlinux or bzImage to boot instead of the one built here");
  command->add_option("--qemu", options->qemu, "The QEMU to use")->capture_default_str();
  options->locations.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
