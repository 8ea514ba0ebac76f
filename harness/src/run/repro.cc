#include "run/repro.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "scenario/parse.h"

namespace luf::run {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Result<json> read_json(const fs::path& file) {
  const Result<std::string> text = read_file(file);
  if (!text) return fail(Blame::kScenario, "no run directory: {}", text.error().message);
  json parsed = json::parse(*text, nullptr, false);
  if (parsed.is_discarded()) return fail(Blame::kScenario, "{} is damaged: no JSON", file.string());
  return parsed;
}

Result<void> read_manifest(const fs::path& directory, Recorded& recorded) {
  const fs::path file = directory / "manifest.json";
  const Result<json> manifest = read_json(file);
  if (!manifest) return pass_on(manifest);
  try {
    const json& kernel = manifest->at("kernel");
    recorded.job.name = manifest->at("scenario").get<std::string>();
    recorded.kernel_hash = kernel.at("hash").get<std::string>();
    recorded.kernel = kernel.at("file").get<std::string>();
    recorded.brought = kernel.at("brought").get<bool>();
    recorded.image_sha256 = manifest->at("image").at("initramfs_sha256").get<std::string>();
    recorded.qemu_version = manifest->at("qemu").at("version").get<std::string>();
    recorded.accel = manifest->at("accel").at("used").get<std::string>();
    recorded.append = manifest->value("append", "");
    recorded.cloned = manifest->value("cloned", false);
  } catch (const json::exception& error) {
    return fail(Blame::kScenario, "{} is damaged: {}", file.string(), error.what());
  }
  return {};
}

Result<void> read_outcome(const fs::path& directory, Recorded& recorded) {
  const Result<json> verdict = read_json(directory / "verdict");
  if (!verdict) return pass_on(verdict);
  recorded.verdict = verdict->value("verdict", "");
  if (recorded.verdict.empty() || recorded.verdict == "incomplete" || recorded.verdict == "not started")
    return fail(Blame::kScenario, "{} holds a run that did not end ({})", directory.string(),
                recorded.verdict);
  const Result<json> findings = read_json(directory / "findings.json");
  if (!findings) return pass_on(findings);
  for (const json& finding : *findings) recorded.fingerprints.push_back(finding.value("fingerprint", ""));
  const Result<std::string> events = read_file(directory / "events.jsonl");
  if (!events) return fail(Blame::kScenario, "no run directory: {}", events.error().message);
  recorded.events = *events;
  if (const Result<Digest> digest = digest_in(directory)) recorded.digest = *digest;
  return {};
}

Result<artifact::Kernel> find_kernel(const Recorded& recorded, const Settings& settings) {
  if (settings.kernel.hash == recorded.kernel_hash) return settings.kernel;
  const Result<artifact::Kernel> there = recorded.brought
                                             ? artifact::kernel_from(recorded.kernel)
                                             : artifact::kernel_in(recorded.kernel.parent_path());
  if (there && there->hash == recorded.kernel_hash) return there;
  return fail(Blame::kInfra,
              "the run used kernel {}, which is neither {} nor given; build it, or name it with --kernel",
              recorded.kernel_hash, recorded.kernel.string());
}

}  // namespace

Result<Recorded> read_run(const fs::path& directory, const scenario::Catalog& catalog) {
  Recorded recorded;
  recorded.directory = fs::absolute(directory).lexically_normal();
  if (const Result<void> read = read_manifest(directory, recorded); !read) return pass_on(read);
  const fs::path file = directory / "scenario.toml";
  const Result<std::string> text = read_file(file);
  if (!text) return fail(Blame::kScenario, "no run directory: {}", text.error().message);
  const Result<scenario::Scenario> scenario = scenario::parse(*text, file.string(), catalog);
  if (!scenario) return pass_on(scenario);
  recorded.job.scenario = *scenario;
  if (const Result<void> read = read_outcome(directory, recorded); !read) return pass_on(read);
  return recorded;
}

Result<Ready> ready_for(const Recorded& recorded, const Ready& given) {
  Ready ready = given;
  Settings& settings = ready.settings;
  const Result<artifact::Kernel> kernel = find_kernel(recorded, given.settings);
  if (!kernel) return pass_on(kernel);
  settings.kernel = *kernel;
  settings.append = recorded.append;
  settings.accel = recorded.accel;
  settings.cold = !recorded.cloned;
  if (settings.image.initramfs_sha256 != recorded.image_sha256)
    return fail(Blame::kInfra,
                "the run used the guest image {}, here is {}; check out the state of the run and build it",
                recorded.image_sha256.substr(0, 12), settings.image.initramfs_sha256.substr(0, 12));
  if (ready.qemu_version != recorded.qemu_version)
    return fail(Blame::kInfra, "the run used \"{}\", here is \"{}\"; name that one with --qemu",
                recorded.qemu_version, ready.qemu_version);
  return ready;
}

Task<Result<Ready>> ready_to_repeat(const Environment& environment, const Settings& given,
                                    const Recorded& recorded) {
  Settings own = given;
  const Result<artifact::Kernel> kernel = find_kernel(recorded, given);
  if (!kernel) co_return pass_on(kernel);
  own.kernel = *kernel;  // its modules, if it was brought, are in the image
  const Result<Ready> ready = co_await make_ready(environment, own);
  if (!ready) co_return pass_on(ready);
  co_return ready_for(recorded, *ready);
}

Sameness compare(const Recorded& first, const Recorded& again) {
  Sameness same;
  same.violation = first.verdict == again.verdict && first.fingerprints == again.fingerprints;
  same.exact = first.digest && again.digest && *first.digest == *again.digest;
  if (first.digest && !same.exact) {
    same.difference = first_difference(first.events, again.events);
    if (same.difference.empty())
      same.difference = again.digest && first.digest->console != again.digest->console
                            ? "all events are the same, the console is not"
                            : "all events are the same, what the CPUs held at the end is not";
  } else if (first.verdict != again.verdict) {
    same.difference = fmt::format("the verdict was {}, now it is {}", first.verdict, again.verdict);
  } else if (!same.violation) {
    same.difference = "the findings are others";
  }
  return same;
}

}  // namespace luf::run
