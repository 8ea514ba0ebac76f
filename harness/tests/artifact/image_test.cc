#include "artifact/image.h"

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "support/temp_directory.h"

namespace luf::artifact {
namespace {

using luf::testing::TempDirectory;

void put_image(const TempDirectory& directory, const std::string& content) {
  directory.put("i.cpio", content);
  directory.put("manifest.json",
                fmt::format(R"({{"initramfs":"i.cpio","initramfs_size":{},"initramfs_sha256":"{}",
    "guest_sha256":"x","parts":"parts.json"}})",
                            content.size(), sha256(content)));
}

TEST(Image, is_intact_when_it_is_what_the_manifest_says) {
  const TempDirectory directory;
  put_image(directory, "content");
  const Result<Image> image = image_in(directory.path());
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(verify(*image));
}

TEST(Image, a_short_initramfs_is_called_truncated) {
  const TempDirectory directory;
  put_image(directory, "content");
  directory.put("i.cpio", "conte");
  const Result<void> verified = verify(*image_in(directory.path()));
  ASSERT_FALSE(verified);
  EXPECT_TRUE(verified.error().message.starts_with("truncated initramfs ")) << verified.error().message;
}

TEST(Image, another_initramfs_of_the_same_size_is_refused) {
  const TempDirectory directory;
  put_image(directory, "content");
  directory.put("i.cpio", "c0ntent");
  EXPECT_FALSE(verify(*image_in(directory.path())));
}

TEST(Image, a_broken_manifest_is_infra) {
  const TempDirectory directory;
  directory.put("manifest.json", "{}");
  EXPECT_EQ(image_in(directory.path()).error().blame, Blame::kInfra);
}

}  // namespace
}  // namespace luf::artifact
