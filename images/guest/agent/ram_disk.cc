#include "agent/ram_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "agent/kernel_files.h"

namespace luf::guest {

namespace {

constexpr const char* kDevice = "/dev/ram0";
constexpr const char* kImage = "/disk/ext4";
constexpr const char* kImageSize = "/disk/ext4_size";

/// Writes one extent; its file's name is its offset in hexadecimal.
std::string write_extent(int device, const std::string& name) {
  const std::string data = read_text(std::string(kImage) + "/" + name);
  const auto offset = static_cast<off_t>(std::strtoull(name.c_str(), nullptr, 16));
  if (pwrite(device, data.data(), data.size(), offset) == static_cast<ssize_t>(data.size())) return {};
  return std::string("write the disk's image to ") + kDevice + ": " + std::strerror(errno);
}

std::string check_size(int device) {
  std::uint64_t size = 0;
  if (ioctl(device, BLKGETSIZE64, &size) != 0) {
    return std::string("size of ") + kDevice + ": " + std::strerror(errno);
  }
  if (size >= std::strtoull(read_text(kImageSize).c_str(), nullptr, 10)) return {};
  return std::string(kDevice) + " has only " + std::to_string(size >> 10U) +
         " KiB: boot with ramdisk_size=65536 or brd.rd_size=65536";
}

std::string write_image(int device) {
  std::string problem = check_size(device);
  DIR* directory = opendir(kImage);
  if (directory == nullptr) return "the initramfs carries no disk image";
  while (const dirent* entry = problem.empty() ? readdir(directory) : nullptr) {
    if (entry->d_name[0] != '.') problem = write_extent(device, entry->d_name);
  }
  closedir(directory);
  return problem;
}

std::string prepare_disk() {
  const bool has_ext4 = read_text("/proc/filesystems").find("\text4\n") != std::string::npos;
  const int device = open(kDevice, O_RDWR | O_CLOEXEC);
  if (device < 0 || !has_ext4) {
    if (device >= 0) close(device);
    return "kernel has no brd or ext4: give its modules with --modules";
  }
  std::string problem = write_image(device);
  close(device);
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
