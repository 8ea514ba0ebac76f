#include "machine/saved_clock.h"

#include <gtest/gtest.h>

namespace luf::machine {
namespace {

std::string bytes(std::uint64_t value, int count) {
  std::string text;
  for (int i = count - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xffU);
  return text;
}

std::string state_of(std::uint64_t bias, std::uint64_t instructions) {
  return "QEVM...timer" + std::string("\x05\x0ctimer/icount", 14) + bytes(1, 4) + bytes(bias, 8) +
         bytes(instructions, 8) + "~ the rest";
}

TEST(SavedClock, stands_at_a_full_second_whether_or_not_it_was_turned_to_the_next_timer) {
  std::string early = state_of(197'696'688, 269'895'632);
  std::string late = state_of(198'350'464, 269'895'632);
  ASSERT_TRUE(settle_clock(early, 4));
  ASSERT_TRUE(settle_clock(late, 4));
  EXPECT_EQ(early, late);
  EXPECT_EQ(early, state_of(5'000'000'000 - (269'895'632ULL << 4U), 269'895'632));
}

TEST(SavedClock, never_goes_back) {
  std::string state = state_of(1'000'000'000, 0);
  ASSERT_TRUE(settle_clock(state, 4));
  EXPECT_EQ(state, state_of(2'000'000'000, 0));
}

TEST(SavedClock, refuses_a_state_that_looks_otherwise) {
  const std::string good = state_of(1, 1);
  for (std::string state : {std::string("QEVM"), good + good, good.substr(0, good.size() - 12)}) {
    const std::string before = state;
    EXPECT_EQ(settle_clock(state, 4).error().blame, Blame::kInfra);
    EXPECT_EQ(state, before);
  }
}

}  // namespace
}  // namespace luf::machine
