#include "agent/ram_disk.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "agent/kernel_files.h"
#include "lib/disk_image.h"

namespace luf::guest {

namespace {

constexpr const char* kDevice = "/dev/ram0";

std::string prepare_disk() {
  const bool has_ext4 = read_text("/proc/filesystems").find("\text4\n") != std::string::npos;
  if (!exists(kDevice) || !has_ext4) return "kernel has no brd or ext4: give its modules with --modules";
  const std::string problem = write_disk_image("ext4", kDevice);
  if (!problem.empty()) return problem;
  mkdir("/mnt", 0755);
  if (mount(kDevice, "/mnt", "ext4", MS_NOATIME, "noinit_itable") != 0) {
    return std::string("mount ") + kDevice + " as ext4: " + std::strerror(errno);
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
