#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "base/sha256.h"
#include "cli/command.h"
#include "cli/session.h"
#include "run/accel.h"
#include "run/boot_time.h"

namespace luf::cli {
namespace {

struct Options {
  Locations locations;
  std::string kernel;
  std::string accel = "tcg";
  std::string qemu = "qemu-system-x86_64";
  std::int64_t pairs = 10;
  double bar = 0;  ///< 0: none
};

struct Bench {
  machine::QemuSetup lufbed;
  machine::QemuSetup bare;
  std::string kernel;  ///< name and hash
  std::string images;  ///< hashes of both
};

/// What `lufbed run` boots by default. Hashing also brings the files into the page cache before the first guest.
Result<Bench> make_bench(const Options& options) {
  const Result<artifact::Kernel> kernel = options.locations.kernel_or(options.kernel);
  if (!kernel) return pass_on(kernel);
  const Result<artifact::Image> image = artifact::image_in(options.locations.image());
  if (!image) return pass_on(image);
  if (const Result<void> intact = artifact::verify(*image); !intact) return pass_on(intact);
  const std::filesystem::path bare = image->initramfs.parent_path() / "bare.cpio";
  const Result<std::string> bare_hash = sha256_of_file(bare);
  if (!bare_hash) return pass_on(bare_hash);
  const Result<std::string> kernel_hash = sha256_of_file(kernel->file);
  if (!kernel_hash) return pass_on(kernel_hash);
  const scenario::Machine machine;
  Bench bench;
  bench.lufbed.qemu = options.qemu;
  bench.lufbed.accel = options.accel == "kvm" ? machine::Accel::kKvm : machine::Accel::kTcg;
  bench.lufbed.cpus = machine.cpus;
  bench.lufbed.memory = machine.memory;
  bench.lufbed.nodes = machine.nodes;
  bench.lufbed.kernel = kernel->file;
  bench.lufbed.initramfs = image->initramfs;
  // For print only: a guest's files have another place each time, and are gone after it.
  bench.lufbed.plan = "plan.bin";
  bench.lufbed.console = "console.log";
  bench.lufbed.events = "events.jsonl";
  bench.bare = bench.lufbed;
  bench.bare.initramfs = bare;
  bench.kernel = fmt::format("{} sha256 {} ({})", kernel->release, *kernel_hash, kernel->file.string());
  bench.images = fmt::format("lufbed sha256 {}, bare sha256 {}", image->initramfs_sha256, *bare_hash);
  return bench;
}

void print_row(std::string_view name, std::size_t n, const run::Spread& spread, int digits) {
  fmt::print("{:<12} {:>3} {:>9.{}f} {:>9.{}f} {:>9.{}f} {:>9.{}f} {:>9.{}f}\n", name, n, spread.min, digits,
             spread.quarter, digits, spread.median, digits, spread.three_quarters, digits, spread.max,
             digits);
}

std::string joined(std::vector<std::string> words) {
  for (std::string& word : words) word = shell_quote(word);
  return fmt::format("{}", fmt::join(words, " "));
}

std::string own_command(const Options& options, const Bench& bench) {
  std::vector<std::string> words{(executable_directory() / "lufbed").string(), "bench", "boot", "--pairs",
                                 std::to_string(options.pairs)};
  words.insert(words.end(), {"--kernel", std::filesystem::absolute(bench.lufbed.kernel).string(), "--accel",
                             options.accel});
  words.insert(words.end(),
               {"--image-dir", std::filesystem::absolute(bench.lufbed.initramfs).parent_path().string(),
                "--qemu", options.qemu});
  return joined(std::move(words));
}

/// Returns the median ratio.
double print_table(const Options& options, const Bench& bench, const std::string& version,
                   const run::BootTimes& times) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < times.lufbed.size(); ++i) ratios.push_back(times.lufbed[i] / times.bare[i]);
  const run::Spread ratio = run::spread_of(ratios);
  fmt::print("{:<12} {:>3} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "", "n", "min", "25%", "median", "75%", "max");
  print_row("lufbed, ms", times.lufbed.size(), run::spread_of(times.lufbed), 0);
  print_row("bare, ms", times.bare.size(), run::spread_of(times.bare), 0);
  print_row("ratio", ratios.size(), ratio, 3);
  fmt::print("\nkernel  {}\nimages  {}\nqemu    {}\naccel   {}, {} vCPUs, {} MiB\n", bench.kernel,
             bench.images, version, options.accel, bench.lufbed.cpus, bench.lufbed.memory >> 20U);
  fmt::print("command {}\nlufbed  {}\nbare    {}\n", own_command(options, bench),
             joined(machine::qemu_command(bench.lufbed)), joined(machine::bare_command(bench.bare)));
  return ratio.median;
}

Task<void> measure(const run::Environment& environment, const Options& options, const Bench& bench,
                   Result<std::string>& version, Result<run::BootTimes>& times) {
  version = co_await run::qemu_version(environment, options.qemu);
  if (!version) co_return;
  times = co_await run::measure_boots(environment, bench.lufbed, bench.bare, options.pairs);
}

int execute(const Options& options) {
  const Result<Bench> bench = make_bench(options);
  if (!bench) return report_error(bench.error());
  Session session;
  Result<std::string> version;
  Result<run::BootTimes> times;
  session.run([&](const run::Environment& environment) {
    return measure(environment, options, *bench, version, times);
  });
  if (!version) return report_error(version.error());
  if (!times) return report_error(times.error());
  const double median = print_table(options, *bench, *version, *times);
  if (options.bar <= 0) return 0;
  fmt::print("bar     {:.3f} {} {:.3f}\n", median, median <= options.bar ? "is within" : "is above",
             options.bar);
  return median <= options.bar ? 0 : kExitBarMissed;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* bench = app.add_subcommand("bench", "Measure lufbed itself, and what LUF saves and costs");
  bench->require_subcommand(1);
  CLI::App* boot =
      bench->add_subcommand("boot", "Time a cold boot to the first event against bare QEMU, in turns");
  boot->add_option("--pairs", options->pairs, "How often each is booted")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  boot->add_option("--bar", options->bar, "Exit with 1 when the median of the ratios is above this")
      ->check(CLI::PositiveNumber);
  boot->add_option("--kernel", options->kernel, "A vmlinux or bzImage to boot instead of the one built here");
  boot->add_option("--accel", options->accel, "tcg or kvm")
      ->capture_default_str()
      ->check(CLI::IsMember({"tcg", "kvm"}));
  boot->add_option("--qemu", options->qemu, "The QEMU to use")->capture_default_str();
  options->locations.add_options(*boot);
  boot->callback([options, &action] { action = [options] { return execute(*options); }; });
  add_bench_shootdowns(*bench, action);
  add_bench_costs(*bench, action);
  add_bench_throughput(*bench, action);
  add_bench_oracle(*bench, action);
  add_bench_overhead(*bench, action);
}

}  // namespace luf::cli
