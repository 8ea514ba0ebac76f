// The guest's disk: an ext4 image carried in the initramfs as its non-zero extents, put on a RAM disk, or on
// the virtual disk of a machine that has one, when first needed.
#pragma once

#include <string>

namespace luf::guest {

/// There only when the host is to do something to it.
inline constexpr const char* kVirtualDisk = "/dev/vda";

class RamDisk {
 public:
  /// Mounts the disk at /mnt, once. Returns why it cannot be had, empty when it is there.
  const std::string& prepare();

 private:
  bool tried_ = false;
  std::string problem_;
};

}  // namespace luf::guest
