// The guest image: an initramfs, its parts, and a manifest that says what they must be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace luf::artifact {

struct Image {
  std::filesystem::path initramfs;
  std::uint64_t initramfs_size = 0;  ///< bytes
  std::string initramfs_sha256;
  std::string guest_sha256;     ///< of the guest program inside
  std::filesystem::path parts;  ///< parts.json
};

/// Reads `directory`/manifest.json. Does not look at the files it names. Errors: infra.
Result<Image> image_in(const std::filesystem::path& directory);

/// Checks that the initramfs is what the manifest says. Errors: infra, "truncated initramfs ..." when it is
/// shorter.
Result<void> verify(const Image& image);

}  // namespace luf::artifact
