#include "base/units.h"

#include <gtest/gtest.h>

namespace luf {
namespace {

TEST(Duration, reads_every_unit) {
  EXPECT_EQ(parse_duration("250us")->count(), 250'000);
  EXPECT_EQ(parse_duration("5ms")->count(), 5'000'000);
  EXPECT_EQ(parse_duration("30s")->count(), 30'000'000'000);
  EXPECT_EQ(parse_duration("2min")->count(), 120'000'000'000);
}

TEST(Duration, refuses_what_has_no_exact_meaning) {
  for (const char* text : {"", "s", "30", "-1s", "1.5s", "1 s", "30S", "1h", "99999999999999999min"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, names_the_missing_unit) {
  EXPECT_EQ(parse_duration("30").error().message, "\"30\" has no unit; append one of ns, us, ms, s, min");
}

TEST(Duration, is_read_back_as_written) {
  for (const char* text : {"0s", "250us", "1500ms", "30s", "2min"})
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
}

TEST(Size, reads_every_unit) {
  EXPECT_EQ(*parse_size("512B"), 512U);
  EXPECT_EQ(*parse_size("4KiB"), 4096U);
  EXPECT_EQ(*parse_size("1GiB"), std::uint64_t{1} << 30U);
  EXPECT_FALSE(parse_size("4KB"));
}

TEST(Count, is_grouped_by_thousands) {
  EXPECT_EQ(format_count(7), "7");
  EXPECT_EQ(format_count(1234567), "1 234 567");
}

}  // namespace
}  // namespace luf
