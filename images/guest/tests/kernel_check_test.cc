#include "agent/kernel_check.h"

#include <gtest/gtest.h>

namespace luf::guest {
namespace {

Counters balanced() {
  return {
      {"luf_deferred", 10}, {"luf_covered", 3}, {"luf_flushed_age", 5}, {"luf_flushed_full", 2}, {"x", 9}};
}

TEST(Accounts, hold_when_all_deferred_frames_were_covered_or_flushed) {
  EXPECT_TRUE(check_accounts(balanced(), 0).empty());
  EXPECT_TRUE(check_accounts({}, 0).empty());
}

TEST(Accounts, tell_frames_that_nobody_flushed) {
  Counters counters = balanced();
  counters["luf_deferred"] = 11;
  const auto findings = check_accounts(counters, 0);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "R14");
  EXPECT_EQ(findings[0].detail,
            "11 frames were deferred, 3 covered by other flushes, 7 flushed, none is pending.");
  EXPECT_EQ(findings[0].evidence.at("luf_flushed_age"), 5);
}

TEST(Accounts, tell_frames_that_a_drain_left_pending) {
  const auto findings = check_accounts(balanced(), 4);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].detail, "4 frames are pending after a drain.");
}

TEST(Accounts, tell_a_counter_that_fell_below_zero) {
  Counters counters = balanced();
  counters["luf_refused_race"] = ~std::uint64_t{0};
  const auto findings = check_accounts(counters, 0);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].detail, "The counter luf_refused_race is negative.");
}

TEST(Age, is_held_against_the_bound_and_the_slack) {
  EXPECT_TRUE(check_age(10'000'000 + kAgeSlackNs, 10, kAgeSlackNs).empty());
  const auto findings = check_age(10'000'001 + kAgeSlackNs, 10, kAgeSlackNs);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "R12");
  EXPECT_EQ(findings[0].detail, "A deferral was 2010000 us old, the bound is 10 ms.");
  EXPECT_TRUE(check_age(10'000'000, 10, 0).empty());
  EXPECT_EQ(check_age(10'000'001, 10, 0).size(), 1U);
}

TEST(Age, has_no_bound_when_the_bound_is_0) { EXPECT_TRUE(check_age(~std::uint64_t{0}, 0, 0).empty()); }

}  // namespace
}  // namespace luf::guest
