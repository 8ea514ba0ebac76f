// What goes into the guest's initramfs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files.h"

namespace luf::initramfs {

/// An image of a disk, and the name of its file system.
struct Disk {
  std::string name;
  std::string image;
};

/// The directories that /init mounts on, /dev/console and /dev/ttyS1 (so that the first event needs no
/// devtmpfs), each disk image's extents as /disk/NAME/OFFSET (hexadecimal) and its size in /disk/NAME_size, and
/// last /init: an archive that lost its end starts nothing.
std::string build_base(std::string_view init, const std::vector<Disk>& disks);

/// /init and /dev/console, nothing else.
std::string build_bare(std::string_view init);

/// An archive to append to a base: /modules/order and the modules it lists. `directory` is
/// lib/modules/RELEASE.
Result<std::string> build_modules(const std::string& directory, const std::vector<std::string>& wanted);

/// An archive to append to a base: all directories and regular files below `directory`, which stands for the root, in
/// the order of their names. Of permissions only "may be run" is kept.
Result<std::string> build_tree(const std::string& directory);

}  // namespace luf::initramfs
