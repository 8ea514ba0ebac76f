#include "artifact/kernel.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "support/temp_directory.h"

namespace luf::artifact {
namespace {

using luf::testing::TempDirectory;

/// The smallest ELF that passes for a vmlinux: one segment with the banner in it.
std::string small_vmlinux() {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_machine = EM_X86_64;
  header.e_phoff = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_offset = sizeof(header) + sizeof(segment);
  const std::string banner = "Linux version %s Linux version 6.12.1-test (a@b) padding";
  segment.p_filesz = banner.size();
  std::string file(sizeof(header) + sizeof(segment), '\0');
  std::memcpy(file.data(), &header, sizeof(header));
  std::memcpy(file.data() + sizeof(header), &segment, sizeof(segment));
  return file + banner;
}

/// A boot header with two setup sectors and one sector of kernel behind them.
std::string small_bzimage() {
  std::string file(512 * 4, '\0');
  file[0x1f1] = 2;
  file[0x1f4] = 32;  // paragraphs of 16 bytes
  std::memcpy(&file[0x202], "HdrS", 4);
  file[0x20e] = 0x20;
  const std::string release = "6.1.0-test (x@y) #1";
  std::memcpy(&file[0x220], release.data(), release.size());
  return file;
}

TEST(KernelFile, recognises_a_vmlinux_and_its_release) {
  const TempDirectory directory;
  const Result<KernelFile> file = inspect_kernel(directory.put("k", small_vmlinux()));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->format, KernelFile::Format::kVmlinux);
  EXPECT_EQ(file->release, "6.12.1-test");
}

TEST(KernelFile, recognises_a_bzimage_and_its_release) {
  const TempDirectory directory;
  const Result<KernelFile> file = inspect_kernel(directory.put("k", small_bzimage()));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->format, KernelFile::Format::kBzImage);
  EXPECT_EQ(file->release, "6.1.0-test");
}

TEST(KernelFile, a_missing_tail_is_infra) {
  const TempDirectory directory;
  for (const std::string& whole : {small_vmlinux(), small_bzimage()}) {
    const Result<KernelFile> file = inspect_kernel(directory.put("k", whole.substr(0, whole.size() - 1)));
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().blame, Blame::kInfra);
    EXPECT_TRUE(file.error().message.starts_with("truncated kernel ")) << file.error().message;
  }
}

TEST(KernelFile, what_is_no_kernel_is_the_users_mistake) {
  const TempDirectory directory;
  EXPECT_EQ(inspect_kernel(directory / "none").error().blame, Blame::kScenario);
  EXPECT_EQ(inspect_kernel(directory.put("text", "hello")).error().blame, Blame::kScenario);
  EXPECT_EQ(inspect_kernel(directory.path()).error().blame, Blame::kScenario);
  EXPECT_EQ(inspect_kernel("/proc/self/exe").error().blame, Blame::kScenario);
}

TEST(Kernel, is_taken_by_its_manifest) {
  const TempDirectory directory;
  directory.put("vmlinux", small_vmlinux());
  directory.put("manifest.json",
                R"({"release":"6.12.1-test","source_version":"6.12","series_sha256":"ab","config_sha256":"cd",
    "hash":"0123","vmlinux":"vmlinux","config":"config"})");
  const Result<Kernel> kernel = kernel_in(directory.path());
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(kernel->series_sha256, "ab");
  EXPECT_FALSE(kernel->brought);
}

TEST(Kernel, that_is_not_the_one_of_its_manifest_is_refused) {
  const TempDirectory directory;
  directory.put("vmlinux", small_vmlinux());
  directory.put("manifest.json", R"({"release":"6.13.0","vmlinux":"vmlinux"})");
  EXPECT_FALSE(kernel_in(directory.path()));
  EXPECT_FALSE(kernel_in(directory / "nowhere"));
}

}  // namespace
}  // namespace luf::artifact
