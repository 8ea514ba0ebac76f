#include "modules.h"

#include <gtest/gtest.h>

namespace luf::initramfs {
namespace {

using Files = std::vector<std::string>;

ModuleIndex index() {
  return {
      "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/fs/mbcache.ko.xz\n"
      "kernel/fs/jbd2/jbd2.ko.xz:\n"
      "kernel/fs/mbcache.ko.xz:\n"
      "kernel/crypto/crc32c_generic.ko.xz:\n"
      "kernel/arch/crc32c-intel.ko.xz:\n"
      "kernel/drivers/block/brd.ko.xz:\n",
      "kernel/drivers/tty/serial/8250/8250_pci.ko\n", "softdep ext4 pre: crc32c post: never\n",
      "alias crc32c crc32c_intel\nalias crc32c crc32c_generic\nalias pci:v*d* whatever\n"};
}

TEST(ModuleName, is_the_files_name_as_the_kernel_has_it) {
  EXPECT_EQ(module_name("kernel/arch/crc32c-intel.ko.xz"), "crc32c_intel");
  EXPECT_EQ(module_name("brd"), "brd");
}

TEST(ModuleClosure, puts_each_module_after_what_it_needs) {
  const auto files = module_closure(index(), {"brd", "ext4"});
  ASSERT_TRUE(files) << files.error();
  EXPECT_EQ(*files,
            (Files{"kernel/drivers/block/brd.ko.xz", "kernel/crypto/crc32c_generic.ko.xz",
                   "kernel/fs/mbcache.ko.xz", "kernel/fs/jbd2/jbd2.ko.xz", "kernel/fs/ext4/ext4.ko.xz"}));
}

TEST(ModuleClosure, lists_nothing_twice_and_nothing_built_in) {
  const auto files = module_closure(index(), {"8250-pci", "jbd2", "jbd2"});
  ASSERT_TRUE(files) << files.error();
  EXPECT_EQ(*files, (Files{"kernel/fs/jbd2/jbd2.ko.xz"}));
}

TEST(ModuleClosure, names_a_module_that_does_not_exist) {
  const auto files = module_closure(index(), {"nvme"});
  ASSERT_FALSE(files);
  EXPECT_NE(files.error().find("nvme"), std::string::npos);
}

}  // namespace
}  // namespace luf::initramfs
