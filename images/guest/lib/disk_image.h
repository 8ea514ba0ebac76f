// The disk images that the initramfs carries as their non-zero extents.
#pragma once

#include <string>

namespace luf::guest {

/// Puts the image of the file system `name` on a RAM disk. Returns what went wrong, empty when all went well.
std::string write_disk_image(const std::string& name, const std::string& device);

}  // namespace luf::guest
