#include "strategy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace luf::steer {
namespace {

/// Two CPUs in turns of `turn` blocks of 10 instructions unless they yield; which one ran each block, as text.
std::string course(Strategy& strategy, int blocks, int turn = 50, int point_every = 10) {
  std::string ran;
  unsigned cpu = 0;
  int left = turn;
  for (int i = 0; i < blocks; ++i) {
    const bool at_point = i % point_every == 0;
    ran += static_cast<char>('a' + cpu);
    const bool yields = strategy.yields({cpu, 10, at_point, false}, static_cast<std::uint64_t>(i) * 10);
    if (!yields && --left > 0) continue;
    cpu = 1 - cpu;
    left = turn;
  }
  return ran;
}

Choice choice(std::uint64_t seed) { return {seed, 2, 3, 100}; }

class EveryStrategy : public testing::TestWithParam<std::string> {};

TEST_P(EveryStrategy, decides_the_same_for_the_same_seed_only) {
  const std::string first = course(*make_strategy(GetParam(), choice(7)), 20000);
  EXPECT_EQ(course(*make_strategy(GetParam(), choice(7)), 20000), first);
  int others = 0;
  for (std::uint64_t seed = 8; seed < 16; ++seed)
    others += course(*make_strategy(GetParam(), choice(seed)), 20000) != first ? 1 : 0;
  EXPECT_GE(others, 6);
}

TEST_P(EveryStrategy, keeps_nobody_off_for_good) {
  const std::string ran = course(*make_strategy(GetParam(), choice(3)), 200000);
  for (const char cpu : {'a', 'b'}) {
    const auto turns = std::count(ran.begin(), ran.end(), cpu);
    EXPECT_GT(turns, 200) << cpu;
  }
}

INSTANTIATE_TEST_SUITE_P(Strategy, EveryStrategy, testing::Values("turns", "pct", "bounded", "stall"),
                         [](const auto& each) { return each.param; });

TEST(Strategy, of_an_unknown_name_is_none) { EXPECT_EQ(make_strategy("fifo", choice(1)), nullptr); }

TEST(Stalls, end_when_nobody_else_runs) {
  for (const char* name : {"stall", "bounded", "pct"}) {
    const auto strategy = make_strategy(name, Choice{5, 2, 3, 100});
    int kept_off = 0;
    for (std::uint64_t i = 0; i < 1000; ++i) kept_off += strategy->yields({1, 1, i == 0, false}, i) ? 1 : 0;
    EXPECT_LT(kept_off, 20) << name;
  }
}

TEST(BoundedDelays, stall_as_often_as_the_depth_says) {
  const auto strategy = make_strategy("bounded", choice(5));
  int stalls = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    // Points so far apart that each stall is over before the next one; the other CPU runs between.
    stalls += strategy->yields({0, 1, true, false}, i * 10'000'000) ? 1 : 0;
    strategy->yields({1, 1, false, false}, i * 10'000'000 + 1);
  }
  EXPECT_LE(stalls, 3);
  EXPECT_GE(stalls, 2);  // two may have been drawn at one point
}

TEST(Pct, runs_one_cpu_until_a_change_point) {
  const auto strategy = make_strategy("pct", Choice{4, 2, 1, 100});  // depth 1: no change point
  const std::string ran = course(*strategy, 5000, 50);
  const auto most =
      std::max(std::count(ran.begin(), ran.end(), 'a'), std::count(ran.begin(), ran.end(), 'b'));
  EXPECT_GT(most, 4500);
}

TEST(Pct, does_not_wait_for_a_cpu_that_spins) {
  const auto strategy = make_strategy("pct", Choice{4, 2, 1, 100});
  int yielded = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    strategy->yields({0, 1, false, true}, i * 10);
    strategy->yields({1, 1, false, true}, i * 10 + 5);
    yielded += strategy->yields({1, 1, false, true}, i * 10 + 6) ? 1 : 0;
  }
  EXPECT_EQ(yielded, 0);
}

}  // namespace
}  // namespace luf::steer
