#include "artifact/image.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"

namespace luf::artifact {

Result<Image> image_in(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "manifest.json";
  const Result<std::string> text = read_file(path);
  if (!text) {
    return fail(Blame::kInfra, "no guest image in {}: {}; build it, or set LUFBED_IMAGE_DIR",
                directory.string(), text.error().message);
  }
  try {
    const auto json = nlohmann::json::parse(*text);
    Image image;
    image.initramfs = directory / json.at("initramfs").get<std::string>();
    image.initramfs_size = json.at("initramfs_size").get<std::uint64_t>();
    image.initramfs_sha256 = json.at("initramfs_sha256").get<std::string>();
    image.guest_sha256 = json.value("guest_sha256", "");
    image.parts = directory / json.at("parts").get<std::string>();
    return image;
  } catch (const nlohmann::json::exception& error) {
    return fail(Blame::kInfra, "cannot read the image manifest {}: {}", path.string(), error.what());
  }
}

Result<void> verify(const Image& image) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(image.initramfs, error);
  if (error)
    return fail(Blame::kInfra, "cannot open the initramfs {}: {}", image.initramfs.string(), error.message());
  if (size < image.initramfs_size) {
    return fail(Blame::kInfra, "truncated initramfs {}: it has {} of {} bytes; build the image again",
                image.initramfs.string(), size, image.initramfs_size);
  }
  const Result<std::string> hash = sha256_of_file(image.initramfs);
  if (!hash) return pass_on(hash);
  if (*hash != image.initramfs_sha256) {
    return fail(Blame::kInfra,
                "the initramfs {} is not the one its manifest describes; build the image again",
                image.initramfs.string());
  }
  return {};
}

}  // namespace luf::artifact
