#include "run/bisect.h"

#include <gtest/gtest.h>

namespace luf::run {
namespace {

/// Bisects `count` changes of which `culprit` is the first bad one; `untestable` from and to. Returns the attempts.
int find(Bisection& bisection, std::size_t culprit, std::size_t from = 1, std::size_t to = 0) {
  int attempts = 0;
  while (const auto number = bisection.next()) {
    ++attempts;
    EXPECT_LE(attempts, 100);
    if (attempts > 100) break;
    const bool untestable = from <= *number && *number <= to;
    bisection.tell(*number, untestable           ? Tried::kUntestable
                            : *number >= culprit ? Tried::kBad
                                                 : Tried::kGood);
  }
  return attempts;
}

TEST(Bisection, finds_each_culprit_by_halving) {
  for (std::size_t count = 1; count <= 33; ++count) {
    for (std::size_t culprit = 1; culprit <= count; ++culprit) {
      Bisection bisection(count);
      EXPECT_LE(find(bisection, culprit), 6);
      EXPECT_EQ(bisection.bad(), culprit);
      EXPECT_EQ(bisection.good(), culprit - 1);
    }
  }
}

TEST(Bisection, goes_around_what_cannot_be_tested) {
  Bisection bisection(28);
  find(bisection, 18, 1, 13);
  EXPECT_EQ(bisection.bad(), 18U);
  EXPECT_EQ(bisection.good(), 17U);
}

TEST(Bisection, says_between_which_it_is_when_the_culprit_cannot_be_tested) {
  Bisection bisection(28);
  find(bisection, 10, 8, 12);
  EXPECT_EQ(bisection.good(), 7U);
  EXPECT_EQ(bisection.bad(), 13U);
}

}  // namespace
}  // namespace luf::run
