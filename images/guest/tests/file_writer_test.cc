#include "lib/file_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "lib/page_pattern.h"

namespace luf::guest {
namespace {

class FileWriterTest : public testing::TestWithParam<std::string_view> {};

TEST_P(FileWriterTest, writes_the_page_where_it_belongs) {
  if (GetParam() == "io_uring" && syscall(SYS_io_uring_setup, 0, nullptr) != 0 && errno != EINVAL &&
      errno != EFAULT)
    GTEST_SKIP() << "io_uring is forbidden here";
  char path[] = "/tmp/file_writer_XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  const ParamValues values;
  SharedArea* area = map_shared_area();
  PartContext context("write_under", 0, values, {1, 1}, 1, *area);
  alignas(kPageSize) static std::array<Line, kLinesPerPage> page;
  const auto writer = open_file_writer(context, GetParam(), path);
  for (std::uint64_t version = 1; version <= 3; ++version) {
    fill_page(page.data(), 1, 2, version);
    writer->write(page.data(), 2 * kPageSize);
    std::array<Line, kLinesPerPage> back{};
    ASSERT_EQ(pread(fd, back.data(), kPageSize, 2 * kPageSize), static_cast<ssize_t>(kPageSize));
    EXPECT_EQ(back, page);
  }
  unlink(path);
  unlink((std::string(path) + ".source").c_str());
  close(fd);
  unmap_shared_area(area);
}

// Not direct, clone or dedupe: not every file system that /tmp may be on has them.
INSTANTIATE_TEST_SUITE_P(Via, FileWriterTest,
                         testing::Values("pwrite", "writev", "pwritev2", "aio", "io_uring", "splice",
                                         "sendfile", "copy_range"),
                         [](const auto& via) { return std::string(via.param); });

}  // namespace
}  // namespace luf::guest
