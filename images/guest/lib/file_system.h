// The file systems on which a detector can have its files.
#pragma once

#include <array>
#include <string>

#include "lib/params.h"
#include "lib/part_context.h"

namespace luf::guest {

/// ext4 on a RAM disk; tmpfs, whose pages are swapped; overlayfs over that ext4; FUSE with a server of the part's own
/// (lib/fuse_server.h), without and with a write-back cache; btrfs and XFS on RAM disks of the part's own.
inline constexpr std::array<std::string_view, 7> kFileSystems{"ext4",           "tmpfs", "overlay", "fuse",
                                                              "fuse_writeback", "btrfs", "xfs"};

inline constexpr std::array<std::string_view, 1> kSwappedFileSystems{"tmpfs"};

constexpr Param fs_param() {
  return choice_param("fs", kFileSystems, "the file system that holds the file", kSwappedFileSystems);
}

/// A path that only this part uses, on the file system that its parameter `fs` names. Mounts it if need be; fails the
/// part when it cannot be.
std::string part_path(PartContext& context);

}  // namespace luf::guest
