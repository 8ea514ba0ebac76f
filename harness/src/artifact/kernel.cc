#include "artifact/kernel.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"

namespace luf::artifact {
namespace {

constexpr std::size_t kShortHash = 12;

Result<Kernel> read_manifest(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "manifest.json";
  const Result<std::string> text = read_file(path);
  if (!text) {
    return fail(Blame::kInfra, "no guest kernel in {}: {}; build one, or name one with --kernel",
                directory.string(), text.error().message);
  }
  try {
    const auto json = nlohmann::json::parse(*text);
    Kernel kernel;
    kernel.file = directory / json.at("vmlinux").get<std::string>();
    kernel.release = json.at("release").get<std::string>();
    kernel.source_version = json.value("source_version", "");
    kernel.series_sha256 = json.value("series_sha256", "");
    kernel.config_sha256 = json.value("config_sha256", "");
    kernel.hash = json.value("hash", "");
    if (json.contains("config")) kernel.config = directory / json.at("config").get<std::string>();
    return kernel;
  } catch (const nlohmann::json::exception& error) {
    return fail(Blame::kInfra, "cannot read the kernel manifest {}: {}", path.string(), error.what());
  }
}

}  // namespace

Result<Kernel> kernel_in(const std::filesystem::path& directory) {
  Result<Kernel> kernel = read_manifest(directory);
  if (!kernel) return kernel;
  const Result<KernelFile> file = inspect_kernel(kernel->file);
  if (!file)
    return fail(Blame::kInfra, "{} (named by {}/manifest.json)", file.error().message, directory.string());
  if (!file->release.empty() && file->release != kernel->release) {
    return fail(Blame::kInfra, "{} is release {}, but its manifest says {}; build it again",
                kernel->file.string(), file->release, kernel->release);
  }
  return kernel;
}

Result<Kernel> kernel_from(const std::filesystem::path& file) {
  const Result<KernelFile> inspected = inspect_kernel(file);
  if (!inspected) return pass_on(inspected);
  const Result<std::string> hash = sha256_of_file(file);
  if (!hash) return pass_on(hash);
  Kernel kernel;
  kernel.file = std::filesystem::absolute(file);
  kernel.release = inspected->release;
  kernel.hash = hash->substr(0, kShortHash);
  kernel.brought = true;
  return kernel;
}

}  // namespace luf::artifact
