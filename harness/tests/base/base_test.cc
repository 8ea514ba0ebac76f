#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "base/file.h"
#include "base/nearest.h"
#include "base/scratch.h"
#include "base/sha256.h"
#include "support/environment.h"
#include "support/temp_directory.h"

namespace luf {
namespace {

TEST(Sha256, agrees_with_the_standard) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, does_not_depend_on_how_the_bytes_come) {
  const std::string text(1000, 'x');
  Sha256 hash;
  for (char character : text) hash.update(std::string(1, character));
  EXPECT_EQ(hash.finish(), sha256(text));
}

TEST(Scratch, vanishes_with_its_owner) {
  const luf::testing::TempDirectory root;
  const luf::testing::EnvironmentVariable place("TMPDIR", root.path().string());
  {
    const Result<Scratch> file = Scratch::file("f-");
    const Result<Scratch> directory = Scratch::directory("d-");
    ASSERT_TRUE(file && directory);
    EXPECT_TRUE(std::filesystem::is_regular_file(file->path()));
    EXPECT_EQ(directory->path().parent_path(), root.path());
    ASSERT_TRUE(write_file(directory->path() / "inside", "x"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(root.path()));
}

TEST(Scratch, sweeps_only_what_nobody_owns) {
  const luf::testing::TempDirectory root;
  const luf::testing::EnvironmentVariable place("TMPDIR", root.path().string());
  const Result<Scratch> owned = Scratch::directory("d-");
  ASSERT_TRUE(owned);
  std::filesystem::create_directory(root / "d-abc123");
  root.put("d-abc124", "x");
  root.put("d-longer-abc124", "x");
  std::vector<std::filesystem::path> told;
  const auto removed = Scratch::sweep(root.path(), "d-", [&](const auto& path) { told.push_back(path); });
  EXPECT_EQ(removed.size(), 2U);
  EXPECT_EQ(told, removed);
  EXPECT_TRUE(std::filesystem::exists(owned->path()));
  EXPECT_TRUE(std::filesystem::exists(root / "d-longer-abc124"));
}

TEST(Scratch, that_cannot_be_made_is_infra) {
  for (const char* place :
       {"/nonexistent", "/proc"}) {  // no directory; one in which nobody can create anything
    const luf::testing::EnvironmentVariable variable("TMPDIR", place);
    const Result<Scratch> file = Scratch::file("f-");
    const Result<Scratch> directory = Scratch::directory("d-");
    ASSERT_FALSE(file || directory) << place;
    EXPECT_EQ(file.error().blame, Blame::kInfra);
    EXPECT_EQ(directory.error().blame, Blame::kInfra);
    EXPECT_TRUE(directory.error().message.starts_with("cannot ")) << directory.error().message;
  }
}

TEST(Nearest, finds_a_typo_and_nothing_far) {
  const std::array<std::string, 3> names{"reclaim", "migrate", "churn"};
  EXPECT_EQ(nearest("reclam", names), "reclaim");
  EXPECT_EQ(nearest("balloon", names), "");
}

TEST(File, write_replaces_the_whole) {
  const testing::TempDirectory directory;
  ASSERT_TRUE(write_file(directory / "a", "long content"));
  ASSERT_TRUE(write_file(directory / "a", "short"));
  EXPECT_EQ(*read_file(directory / "a"), "short");
  EXPECT_EQ(*read_range(directory / "a", 2, 2), "or");
}

TEST(File, errors_name_attempt_path_and_cause) {
  EXPECT_EQ(read_file("/nonexistent/x").error().message,
            "cannot open /nonexistent/x: No such file or directory");
}

TEST(File, a_full_disk_is_named) {
  const int rc = ::access("/dev/full", W_OK);
  if (rc != 0) GTEST_SKIP() << "no /dev/full";
  const testing::TempDirectory directory;
  std::filesystem::create_symlink("/dev/full", directory / "a.tmp");
  const Result<void> written = write_file(directory / "a", "x");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("the disk is full"), std::string::npos);
}

TEST(Shell, quotes_what_needs_it) {
  EXPECT_EQ(shell_quote("a/b.c=1,2"), "a/b.c=1,2");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quote(""), "''");
}

}  // namespace
}  // namespace luf
