#include "cpio_archive.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <iterator>
#include <utility>

namespace luf::initramfs {

void CpioArchive::add_directory(std::string_view name) { add(name, S_IFDIR | 0755, 2, {}, {}); }

void CpioArchive::add_file(std::string_view name, std::uint32_t permissions, std::string_view data) {
  add(name, S_IFREG | permissions, 1, data, {});
}

void CpioArchive::add_character_device(std::string_view name, std::uint32_t permissions, std::uint32_t major,
                                       std::uint32_t minor) {
  add(name, S_IFCHR | permissions, 1, {}, {major, minor});
}

std::string CpioArchive::finish() && {
  next_inode_ = 0;
  add("TRAILER!!!", 0, 1, {}, {});
  pad(512);
  return std::move(bytes_);
}

void CpioArchive::add(std::string_view name, std::uint32_t mode, std::uint32_t links, std::string_view data,
                      Device device) {
  // magic; inode, mode, uid, gid, links, mtime, size, device (2), node's device (2), length of the name,
  // checksum
  fmt::format_to(std::back_inserter(bytes_),
                 "070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
                 next_inode_++, mode, 0, 0, links, 0, data.size(), 0, 0, device.major, device.minor,
                 name.size() + 1, 0);
  bytes_ += name;
  bytes_ += '\0';
  pad(4);
  bytes_ += data;
  pad(4);
}

void CpioArchive::pad(std::size_t alignment) {
  bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment, '\0');
}

}  // namespace luf::initramfs
