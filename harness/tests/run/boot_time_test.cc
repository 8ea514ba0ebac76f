#include "run/boot_time.h"

#include <gtest/gtest.h>

namespace luf::run {
namespace {

using std::chrono::seconds;

TEST(FirstByte, is_when_the_line_began_not_when_it_was_whole) {
  const TimePoint zero;
  FirstByte line("here\n");
  line.take("[    0.1] a warning\r\nhe", zero + seconds(1));
  line.take("", zero + seconds(2));
  EXPECT_FALSE(line.when());
  line.take("re\r\n", zero + seconds(3));
  EXPECT_EQ(line.when(), zero + seconds(1));
}

TEST(FirstByte, is_not_that_of_other_text_with_the_same_beginning) {
  const TimePoint zero;
  FirstByte line("here\n");
  line.take("he is", zero + seconds(1));
  line.take(" here", zero + seconds(2));
  EXPECT_EQ(line.when(), zero + seconds(2));
}

TEST(SpreadOf, interpolates_quartiles) {
  const Spread spread = spread_of({4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(spread.min, 1);
  EXPECT_DOUBLE_EQ(spread.quarter, 1.75);
  EXPECT_DOUBLE_EQ(spread.median, 2.5);
  EXPECT_DOUBLE_EQ(spread.three_quarters, 3.25);
  EXPECT_DOUBLE_EQ(spread.max, 4);
}

TEST(SpreadOf, one_value_is_all_five) {
  const Spread spread = spread_of({7});
  EXPECT_DOUBLE_EQ(spread.min, 7);
  EXPECT_DOUBLE_EQ(spread.median, 7);
  EXPECT_DOUBLE_EQ(spread.max, 7);
}

}  // namespace
}  // namespace luf::run
