#include "run/record.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "base/sha256.h"
#include "protocol/event.h"

namespace luf::run {
namespace {

using nlohmann::ordered_json;

std::string dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json host_json() {
  utsname name{};
  ::uname(&name);
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  return {{"kernel", name.release},
          {"machine", name.machine},
          {"cpus", std::thread::hardware_concurrency()},
          {"memory_bytes", pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))}};
}

}  // namespace

Manifest make_manifest(const Settings& settings, const Job& job, const machine::QemuSetup& setup,
                       const AccelChoice& accel, std::string qemu_version) {
  Manifest manifest;
  manifest.scenario = job.name;
  manifest.file = std::filesystem::absolute(job.file).lexically_normal();
  manifest.seed = job.scenario.seed;
  manifest.kernel = settings.kernel;
  manifest.image = settings.image;
  manifest.qemu_version = std::move(qemu_version);
  manifest.accel = machine::to_string(accel.accel);
  manifest.accel_why = accel.why;
  manifest.machine = settings.machine;
  manifest.connect = settings.connect;
  manifest.append = settings.append;
  manifest.cloned = setup.origin == machine::Origin::kClone;
  manifest.kernel_cmdline = machine::kernel_cmdline(setup);
  for (const std::string& word : machine::qemu_command(setup)) {
    manifest.command_line += (manifest.command_line.empty() ? "" : " ") + shell_quote(word);
  }
  return manifest;
}

std::string to_json(const Manifest& manifest) {
  const artifact::Kernel& kernel = manifest.kernel;
  const artifact::Image& image = manifest.image;
  return dump({{"version", 1},
               {"scenario", manifest.scenario},
               {"scenario_file", manifest.file.string()},
               {"seed", manifest.seed},
               {"machine", manifest.machine},
               {"connect", manifest.connect},
               {"append", manifest.append},
               {"cloned", manifest.cloned},
               {"kernel",
                {{"file", kernel.file.string()},
                 {"release", kernel.release},
                 {"hash", kernel.hash},
                 {"source_version", kernel.source_version},
                 {"series_sha256", kernel.series_sha256},
                 {"config_sha256", kernel.config_sha256},
                 {"config", kernel.config.string()},
                 {"brought", kernel.brought},
                 {"cmdline", manifest.kernel_cmdline}}},
               {"image",
                {{"initramfs", image.initramfs.string()},
                 {"initramfs_sha256", image.initramfs_sha256},
                 {"guest_sha256", image.guest_sha256}}},
               {"qemu", {{"version", manifest.qemu_version}, {"command_line", manifest.command_line}}},
               {"accel", {{"used", manifest.accel}, {"why", manifest.accel_why}}},
               {"host", host_json()}});
}

std::string repro_line(const Settings& settings, const Job& job, const Manifest& manifest) {
  const artifact::Kernel& kernel = settings.kernel;
  std::vector<std::string> words{settings.executable.string(), "run", manifest.file.string()};
  if (kernel.brought) {
    words.insert(words.end(), {"--kernel", kernel.file.string()});
    if (!settings.modules.empty()) words.insert(words.end(), {"--modules", settings.modules.string()});
  } else {
    words.insert(words.end(), {"--kernel-dir", kernel.file.parent_path().string()});
  }
  words.insert(words.end(), {"--image-dir", settings.image.parts.parent_path().string()});
  words.insert(words.end(), {"--accel", manifest.accel, "--seed", std::to_string(job.scenario.seed)});
  if (settings.oracle != "off") words.insert(words.end(), {"--oracle", settings.oracle});
  if (settings.machine != "qemu") words.insert(words.end(), {"--machine", settings.machine});
  if (!settings.connect.empty()) words.insert(words.end(), {"--connect", settings.connect});
  if (!settings.append.empty()) words.insert(words.end(), {"--append", settings.append});
  words.insert(words.end(),
               {"--qemu", settings.qemu, "--runs", std::filesystem::absolute(settings.runs).string()});
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_quote(word);
  return line + "\n";
}

std::string fingerprint(const std::string& rule, const std::string& part) {
  return sha256(rule + " " + part).substr(0, 12);
}

std::string fingerprint(const guest::Event& finding) {
  return fingerprint(finding.text("rule"), finding.text("part"));
}

Result<std::vector<guest::Event>> events_in(const std::filesystem::path& directory) {
  const Result<std::string> text = read_file(directory / "events.jsonl");
  if (!text) return pass_on(text);
  return guest::EventParser().feed(*text);
}

Result<std::vector<guest::Event>> findings_in(const std::filesystem::path& directory) {
  Result<std::vector<guest::Event>> events = events_in(directory);
  if (events)
    std::erase_if(*events, [](const guest::Event& event) { return event.name != protocol::event::kFinding; });
  return events;
}

std::string findings_json(const std::vector<guest::Event>& events) {
  ordered_json findings = ordered_json::array();
  for (const guest::Event& event : events) {
    if (event.name != protocol::event::kFinding) continue;
    ordered_json finding(event.body);
    finding["fingerprint"] = fingerprint(event);
    findings.push_back(std::move(finding));
  }
  return dump(findings);
}

std::string metrics_json(const report::Summary& summary) {
  ordered_json metrics{{"lufbed_loads_total", summary.loads},
                       {"lufbed_findings_total", summary.findings},
                       {"lufbed_run_seconds", summary.seconds}};
  for (const auto& [name, value] : summary.counters) metrics["lufbed_guest_" + name + "_total"] = value;
  return dump(metrics);
}

}  // namespace luf::run
