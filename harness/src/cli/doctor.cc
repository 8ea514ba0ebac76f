#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "base/file.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/session.h"
#include "machine/tool.h"
#include "run/accel.h"
#include "run/leftovers.h"

namespace luf::cli {
namespace {

struct Options {
  Locations locations;
  std::string qemu = "qemu-system-x86_64";
  bool probe = false;
  bool clean = false;
};

void tell(std::string_view topic, bool good, std::string_view text) {
  fmt::print("{:<8} {:<3} {}\n", topic, good ? "ok" : "no", text);
}

std::string plugins_text(const std::string& version) {
  constexpr std::string_view kWord = "version ";
  const std::size_t at = version.find(kWord);
  const int major = at == std::string::npos ? 0 : std::atoi(version.c_str() + at + kWord.size());
  return major >= 10 ? "the plugin interface reads registers and memory"
                     : "the plugin interface is too old; QEMU 10 or later has it";
}

Task<void> examine(const run::Environment& environment, const Options& options, run::Settings settings,
                   bool bootable, bool& good) {
  const Result<std::string> version = co_await run::qemu_version(environment, options.qemu);
  good = good && version;
  tell("qemu", version.has_value(), version ? *version : version.error().message);
  if (!version) co_return;
  std::vector<std::string> words{options.qemu, "-plugin", "help"};
  const TimePoint deadline = environment.clock.now() + std::chrono::seconds(20);
  const Result<std::string> plugins =
      co_await machine::run_tool(std::move(words), environment.clock, deadline);
  const bool unsupported = !plugins && plugins.error().message.find("invalid option") != std::string::npos;
  tell("plugins", !unsupported, unsupported ? "this QEMU was built without plugins" : plugins_text(*version));
  if (!bootable) {
    tell("kvm", false, "cannot be probed without a guest kernel and image");
    co_return;
  }
  const Result<run::AccelChoice> kvm =
      co_await run::probe_kvm(environment, settings, *version, options.probe);
  tell("kvm", kvm && kvm->accel == machine::Accel::kKvm, kvm ? kvm->why : kvm.error().message);
}

int clean() {
  const std::vector<std::string> done = run::clean_leftovers();
  for (const std::string& line : done) fmt::print("{}\n", line);
  if (done.empty()) fmt::print("nothing was left\n");
  return 0;
}

int execute(const Options& options) {
  if (options.clean) return clean();
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  tell("cores", true, fmt::format("{}", std::thread::hardware_concurrency()));
  tell("memory", true,
       fmt::format("{} MiB", (pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))) >> 20U));
  tell("cache", true, cache_directory().string());
  run::Settings settings;
  settings.qemu = options.qemu;
  const Result<artifact::Kernel> kernel = artifact::kernel_in(options.locations.kernel());
  tell("kernel", kernel.has_value(),
       kernel ? fmt::format("{} {} ({})", kernel->release, kernel->hash, kernel->file.string())
              : kernel.error().message);
  Result<artifact::Image> image = artifact::image_in(options.locations.image());
  const Result<void> intact = image ? artifact::verify(*image) : pass_on(image);
  tell("image", intact.has_value(), intact ? image->initramfs.string() : intact.error().message);
  if (kernel) settings.kernel = *kernel;
  if (image) settings.image = *image;
  bool good = kernel && intact;
  const bool bootable = good;
  Session session;
  session.run([&](const run::Environment& environment) {
    return examine(environment, options, settings, bootable, good);
  });
  if (session.interrupted()) return kExitInterrupted;
  return good ? 0 : kExitInfra;
}

}  // namespace

void add_doctor(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("doctor", "Tell what this machine can do");
  command->add_flag("--probe", options->probe, "Boot a guest under KVM even when the answer is remembered");
  command->add_flag("--clean", options->clean, "Only remove what a killed lufbed left behind");
  command->add_option("--qemu", options->qemu, "The QEMU to use")->capture_default_str();
  options->locations.add_options(*command);
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
