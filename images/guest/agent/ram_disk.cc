#include "agent/ram_disk.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "agent/kernel_files.h"
#include "lib/disk_image.h"

namespace luf::guest {

namespace {

const char* device_file() { return exists(kVirtualDisk) ? kVirtualDisk : "/dev/ram0"; }

std::string prepare_disk() {
  const bool has_ext4 = read_text("/proc/filesystems").find("\text4\n") != std::string::npos;
  if (!exists(device_file()) || !has_ext4)
    return "kernel has no brd or ext4: give its modules with --modules";
  const std::string problem = write_disk_image("ext4", device_file());
  if (!problem.empty()) return problem;
  mkdir("/mnt", 0755);
  if (mount(device_file(), "/mnt", "ext4", MS_NOATIME, "noinit_itable") != 0) {
    return std::string("mount ") + device_file() + " as ext4: " + std::strerror(errno);
  }
  return {};
}

}  // namespace

const std::string& RamDisk::prepare() {
  if (!tried_) problem_ = prepare_disk();
  tried_ = true;
  return problem_;
}

}  // namespace luf::guest
