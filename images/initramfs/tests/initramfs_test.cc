#include "initramfs.h"

#include <gtest/gtest.h>

#include "cpio_archive.h"
#include "disk_extents.h"

namespace luf::initramfs {
namespace {

TEST(CpioArchive, is_made_of_aligned_records_and_padded_blocks) {
  CpioArchive archive;
  archive.add_directory("dev");
  archive.add_file("dev/x", 0644, "abc");
  const std::string bytes = std::move(archive).finish();
  EXPECT_EQ(bytes.size() % 512, 0U);
  EXPECT_EQ(bytes.substr(0, 6), "070701");
  const std::size_t file = bytes.find("dev/x");
  ASSERT_NE(file, std::string::npos);
  EXPECT_EQ((file - 110) % 4, 0U);
  EXPECT_NE(bytes.find("TRAILER!!!"), std::string::npos);
}

TEST(CpioArchive, same_calls_give_the_same_bytes) {
  const std::vector<Disk> disks{{"ext4", std::string(9000, 'x')}, {"xfs", std::string(5000, 'y')}};
  EXPECT_EQ(build_base("init", disks), build_base("init", disks));
}

TEST(DiskExtents, hold_all_that_is_not_zero_and_join_neighbours) {
  std::string image(16 * kExtentGrain, '\0');
  image[1] = 'a';
  image[kExtentGrain] = 'b';
  image[9 * kExtentGrain + 5] = 'c';
  const auto extents = find_extents(image);
  ASSERT_EQ(extents.size(), 2U);
  EXPECT_EQ(extents[0].offset, 0U);
  EXPECT_EQ(extents[0].data.size(), 2 * kExtentGrain);
  EXPECT_EQ(extents[1].offset, 9 * kExtentGrain);
  std::string rebuilt(image.size(), '\0');
  for (const Extent& extent : extents) rebuilt.replace(extent.offset, extent.data.size(), extent.data);
  EXPECT_EQ(rebuilt, image);
}

TEST(DiskExtents, of_zeros_are_none) {
  EXPECT_TRUE(find_extents(std::string(3 * kExtentGrain, '\0')).empty());
}

TEST(DiskExtents, may_end_within_a_block) {
  const std::string image(kExtentGrain + 10, 'x');
  const auto extents = find_extents(image);
  ASSERT_EQ(extents.size(), 1U);
  EXPECT_EQ(extents[0].data, image);
}

}  // namespace
}  // namespace luf::initramfs
