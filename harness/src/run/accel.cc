#include "run/accel.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"
#include "machine/tool.h"
#include "run/boot_time.h"

namespace luf::run {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr const char* kDevice = "/dev/kvm";
constexpr seconds kProbePatience(10);
constexpr seconds kToolPatience(20);

std::string cpu_model() {
  const Result<std::string> info = read_file("/proc/cpuinfo");
  const std::size_t at = info ? info->find("model name") : std::string::npos;
  return at == std::string::npos ? "" : info->substr(at, info->find('\n', at) - at);
}

/// Names this host in this state.
std::string cache_key(const std::string& version) {
  struct stat device {};
  ::stat(kDevice, &device);
  const std::string boot = read_file("/proc/sys/kernel/random/boot_id").value_or("");
  const std::string text = fmt::format("{}\n{}\n{}\n{}.{}", boot, cpu_model(), version, device.st_mtim.tv_sec,
                                       device.st_mtim.tv_nsec);
  return sha256(text).substr(0, 16);
}

std::optional<AccelChoice> cached(const std::string& key) {
  const Result<std::string> text = read_file(cache_directory() / "accel.json");
  if (!text) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object() || json.value("key", "") != key) return std::nullopt;
  const std::string accel = json.value("accel", "tcg");
  return AccelChoice{accel == "kvm" ? machine::Accel::kKvm : machine::Accel::kTcg,
                     json.value("why", "") + " (remembered)"};
}

/// Losing the cache costs ten seconds next time, so its errors are dropped.
void remember(const std::string& key, const AccelChoice& choice) {
  const nlohmann::ordered_json json{
      {"key", key}, {"accel", machine::to_string(choice.accel)}, {"why", choice.why}};
  if (make_directories(cache_directory()))
    (void)write_file(cache_directory() / "accel.json", json.dump(2) + "\n");
}

machine::QemuSetup probe_setup(const Settings& settings) {
  machine::QemuSetup setup;
  setup.qemu = settings.qemu;
  setup.accel = machine::Accel::kKvm;
  setup.cpus = 2;
  setup.memory = std::uint64_t{256} << 20U;
  setup.kernel = settings.kernel.file;
  setup.initramfs = settings.image.initramfs;
  return setup;
}

std::string why_not(const judge::Observation& seen) {
  if (seen.error) return seen.error->message;
  if (seen.end == judge::RunEnd::kNoBoot)
    return fmt::format("a guest did not boot within {} s", kProbePatience.count());
  if (!seen.machine.last_words.empty()) return "QEMU gave up: " + seen.machine.last_words;
  return "a guest ended before it had booted";
}

Task<Result<AccelChoice>> boot_probe(const Environment& environment, const Settings& settings) {
  const Result<FirstEvent> first =
      co_await boot_to_first_event(environment, probe_setup(settings), kProbePatience);
  if (!first) co_return pass_on(first);
  if (first->seen.end == judge::RunEnd::kDone)
    co_return AccelChoice{machine::Accel::kKvm, "a guest booted under KVM"};
  co_return AccelChoice{machine::Accel::kTcg, "KVM does not work here: " + why_not(first->seen)};
}

}  // namespace

Task<Result<std::string>> qemu_version(const Environment& environment, const std::string& qemu) {
  std::vector<std::string> words{qemu, "--version"};
  Result<std::string> text = co_await machine::run_tool(std::move(words), environment.clock,
                                                        environment.clock.now() + kToolPatience);
  if (!text)
    co_return fail(text.error().blame, "{}; install QEMU (qemu-system-x86) or name it with --qemu",
                   text.error().message);
  co_return text->substr(0, text->find('\n'));
}

Task<Result<AccelChoice>> probe_kvm(const Environment& environment, const Settings& settings,
                                    std::string version, bool again) {
  if (::access(kDevice, R_OK | W_OK) != 0) {
    co_return AccelChoice{machine::Accel::kTcg,
                          fmt::format("KVM does not work here: {}: {}", kDevice, std::strerror(errno))};
  }
  const std::string key = cache_key(version);
  if (!again) {
    if (std::optional<AccelChoice> known = cached(key)) co_return *known;
  }
  Result<AccelChoice> choice = co_await boot_probe(environment, settings);
  if (choice) remember(key, *choice);
  co_return choice;
}

}  // namespace luf::run
