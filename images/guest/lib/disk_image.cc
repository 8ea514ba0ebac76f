#include "lib/disk_image.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "agent/kernel_files.h"

namespace luf::guest {

namespace {

std::string check_size(int fd, const std::string& image, const std::string& device) {
  std::uint64_t size = 0;
  if (ioctl(fd, BLKGETSIZE64, &size) != 0) return "size of " + device + ": " + std::strerror(errno);
  if (size >= std::strtoull(read_text(image + "_size").c_str(), nullptr, 10)) return {};
  return device + " has only " + std::to_string(size >> 10U) +
         " KiB: boot with ramdisk_size=65536 or brd.rd_size=65536";
}

/// One extent; its file's name is its offset in hexadecimal.
std::string write_extent(int fd, const std::string& image, const std::string& name,
                         const std::string& device) {
  const std::string data = read_text(image + "/" + name);
  const auto offset = static_cast<off_t>(std::strtoull(name.c_str(), nullptr, 16));
  if (pwrite(fd, data.data(), data.size(), offset) == static_cast<ssize_t>(data.size())) return {};
  return "write a disk's image to " + device + ": " + std::strerror(errno);
}

}  // namespace

std::string write_disk_image(const std::string& name, const std::string& device) {
  const std::string image = "/disk/" + name;
  DIR* directory = opendir(image.c_str());
  if (directory == nullptr) return "the initramfs carries no " + name + " image";
  const int fd = open(device.c_str(), O_RDWR | O_CLOEXEC);
  std::string problem =
      fd < 0 ? "open " + device + ": " + std::strerror(errno) : check_size(fd, image, device);
  while (const dirent* entry = problem.empty() ? readdir(directory) : nullptr) {
    if (entry->d_name[0] != '.') problem = write_extent(fd, image, entry->d_name, device);
  }
  closedir(directory);
  if (fd >= 0) close(fd);
  return problem;
}

}  // namespace luf::guest
