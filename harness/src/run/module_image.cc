#include "run/module_image.h"

#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/sha256.h"
#include "machine/tool.h"

namespace luf::run {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience(120);
/// A disk in guest RAM and a file system on it; what some parts need and are skipped without: swap, a file server.
constexpr const char* kWanted = "brd,ext4,?zram,?fuse";

/// Names base image, kernel and modules: what the result depends on.
std::string cache_name(const Settings& settings, const fs::path& modules) {
  const std::string order = read_file(modules / "modules.dep").value_or("");
  return sha256(settings.image.initramfs_sha256 + settings.kernel.hash + kWanted + modules.string() + order)
      .substr(0, 16);
}

Result<artifact::Image> described(const artifact::Image& base, const fs::path& initramfs) {
  const Result<std::string> hash = sha256_of_file(initramfs);
  if (!hash) return pass_on(hash);
  artifact::Image image = base;
  image.initramfs = initramfs;
  image.initramfs_size = fs::file_size(initramfs);
  image.initramfs_sha256 = *hash;
  return image;
}

}  // namespace

fs::path modules_of(const Settings& settings) {
  std::error_code ignored;
  if (!settings.modules.empty()) return settings.modules;
  if (!settings.kernel.brought) return {};
  const fs::path beside = settings.kernel.file.parent_path();
  const fs::path by_release = fs::path("lib/modules") / settings.kernel.release;
  std::vector<fs::path> places{beside / "modules"};
  if (!settings.kernel.release.empty()) {
    // Beside the kernel, as in an unpacked distribution package, or installed.
    places.insert(places.end(),
                  {beside / by_release, beside.parent_path() / by_release, fs::path("/") / by_release});
  }
  const auto place = std::find_if(places.begin(), places.end(), [&ignored](const fs::path& path) {
    return fs::exists(path / "modules.dep", ignored);
  });
  return place != places.end() ? *place : fs::path();
}

Task<Result<artifact::Image>> image_for(const Environment& environment, const Settings& settings) {
  const fs::path modules = modules_of(settings);
  if (modules.empty()) co_return settings.image;
  const Result<void> intact = artifact::verify(settings.image);
  if (!intact) co_return pass_on(intact);
  std::error_code ignored;
  if (!fs::is_directory(modules, ignored))
    co_return fail(Blame::kScenario, "no such module directory: {}", modules.string());
  const fs::path directory = cache_directory() / "initramfs";
  const Result<void> made = make_directories(directory);
  if (!made) co_return pass_on(made);
  const fs::path result = directory / (cache_name(settings, modules) + ".cpio");
  if (fs::exists(result, ignored)) co_return described(settings.image, result);
  // Its own for every process: two that start at once would write into each other's.
  const fs::path draft = fmt::format("{}.{}.tmp", result.string(), ::getpid());
  std::vector<std::string> words{(settings.executable.parent_path() / "luf-initramfs").string(),
                                 "--base",
                                 settings.image.initramfs.string(),
                                 "--modules",
                                 modules.string(),
                                 "--want",
                                 kWanted,
                                 "--out",
                                 draft.string()};
  const Result<std::string> built =
      co_await machine::run_tool(std::move(words), environment.clock, environment.clock.now() + kPatience);
  if (!built) {
    fs::remove(draft, ignored);
    co_return pass_on(built);
  }
  fs::rename(draft, result, ignored);
  if (ignored) co_return fail(Blame::kInfra, "cannot keep {}: {}", result.string(), ignored.message());
  co_return described(settings.image, result);
}

}  // namespace luf::run
