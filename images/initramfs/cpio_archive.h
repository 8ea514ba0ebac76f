// Writes a cpio archive (newc) as the kernel unpacks it into its initramfs. No root needed: device nodes are
// only records in it. The bytes depend on the calls alone: times are 0, inodes count up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace luf::initramfs {

class CpioArchive {
 public:
  /// Names have no leading slash; a directory must be added before what is in it.
  void add_directory(std::string_view name);
  void add_file(std::string_view name, std::uint32_t permissions, std::string_view data);
  void add_character_device(std::string_view name, std::uint32_t permissions, std::uint32_t major,
                            std::uint32_t minor);

  /// Closes the archive, padded to 512 bytes so that another one may follow, and returns its bytes.
  std::string finish() &&;

 private:
  struct Device {
    std::uint32_t major;
    std::uint32_t minor;
  };
  void add(std::string_view name, std::uint32_t mode, std::uint32_t links, std::string_view data,
           Device device);
  void pad(std::size_t alignment);

  std::string bytes_;
  std::uint32_t next_inode_ = 1;
};

}  // namespace luf::initramfs
