#include "page_walk.h"

#include <gtest/gtest.h>

#include "oracle/fake_guest.h"

namespace luf::oracle {
namespace {

using testing::FakeGuest;
constexpr std::uint64_t kAddress = 0x7f0000201000;
constexpr PagingState kFourLevels{FakeGuest::kRoot << kPageShift, true, false};

TEST(PageWalk, finds_a_page_of_each_size) {
  FakeGuest guest;
  *guest.slot(kAddress, 1) = 100ULL << kPageShift | kPresent | kUser;
  const Translation small = walk(guest.memory(), kFourLevels, kAddress + 5);
  EXPECT_TRUE(small.decided && small.present && small.user && !small.writable);
  EXPECT_EQ(small.frame, 100U);
  EXPECT_EQ(small.level, 1U);
  *guest.slot(kAddress, 2) = 0x200ULL << kPageShift | kPresent | kUser | kWritable | kLarge;
  const Translation large = walk(guest.memory(), kFourLevels, kAddress);
  EXPECT_EQ(large.frame, 0x200U + 1);
  EXPECT_EQ(large.level, 2U);
  *guest.slot(kAddress, 3) = 0x40000ULL << kPageShift | kPresent | kUser | kLarge | 1ULL << 12U;  // with PAT
  const Translation huge = walk(guest.memory(), kFourLevels, kAddress);
  EXPECT_EQ(huge.frame, 0x40000U + 0x201);
  EXPECT_EQ(huge.level, 3U);
}

TEST(PageWalk, permissions_hold_on_every_level) {
  FakeGuest guest;
  *guest.slot(kAddress, 1) = 100ULL << kPageShift | FakeGuest::kUserPage;
  EXPECT_TRUE(walk(guest.memory(), kFourLevels, kAddress).writable);
  EXPECT_TRUE(walk(guest.memory(), kFourLevels, kAddress).executable);
  *guest.slot(kAddress, 3) &= ~kWritable;
  *guest.slot(kAddress, 2) |= kNoExecute;
  EXPECT_FALSE(walk(guest.memory(), kFourLevels, kAddress).writable);
  EXPECT_FALSE(walk(guest.memory(), kFourLevels, kAddress).executable);
}

TEST(PageWalk, knows_five_levels) {
  FakeGuest guest;
  *guest.slot(kAddress, 1, 5) = 100ULL << kPageShift | FakeGuest::kUserPage;
  PagingState state = kFourLevels;
  state.five_levels = true;
  EXPECT_EQ(walk(guest.memory(), state, kAddress).frame, 100U);
  EXPECT_FALSE(walk(guest.memory(), kFourLevels, kAddress).present);
}

TEST(PageWalk, says_where_an_entry_is_missing_and_what_it_cannot_decide) {
  FakeGuest guest;
  *guest.slot(kAddress, 2) = 0;
  const Translation none = walk(guest.memory(), kFourLevels, kAddress);
  EXPECT_TRUE(none.decided && !none.present);
  EXPECT_EQ(none.level, 2U);
  *guest.slot(kAddress, 2) = 0x9999ULL << kPageShift | FakeGuest::kUserPage;  // a table where no RAM is
  EXPECT_FALSE(walk(guest.memory(), kFourLevels, kAddress).decided);
  EXPECT_FALSE(walk(guest.memory(), PagingState{}, kAddress).decided);
}

TEST(GuestMemory, is_found_by_name_in_the_order_of_inodes) {
  const std::string maps =
      "7f0000000000-7f0010000000 rw-s 00000000 00:01 30 /memfd:memory-backend-memfd (deleted)\n"
      "7f2000000000-7f2000100000 rw-s 00000000 00:01 20 /memfd:memory-backend-memfd (deleted)\n"
      "7f2000100000-7f2000200000 rw-s 00100000 00:01 20 /memfd:memory-backend-memfd (deleted)\n"
      "7f3000000000-7f3000200000 rw-s 00000000 00:01 25 /tmp/plan.bin\n";
  const auto pieces = find_ram(maps, "memory-backend-memfd");
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].bytes, 0x200000U);  // one mapping in two lines
  EXPECT_EQ(pieces[1].bytes, 0x10000000U);
  EXPECT_TRUE(find_ram(maps, "no-such-name").empty());
}

TEST(GuestMemory, of_a_clone_is_found_in_the_order_of_its_files) {
  std::string maps;
  for (const char* file :
       {"10 r-xp 7 /cache/k,1/ram10\n", "20 rw-p 9 /cache/k,1/ram0\n", "30 rw-p 8 /cache/k,1/ram1\n"}) {
    const std::string number(file, 2);
    maps += "7f" + number + "00000000-7f" + number + "0000" + number + "00 rw-p 00000000 fe:00 " +
            std::string(file).substr(8);
  }
  const auto pieces = find_ram(maps, "/cache/k,1/ram");
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].bytes, 0x2000U);
  EXPECT_EQ(pieces[1].bytes, 0x3000U);
  EXPECT_EQ(pieces[2].bytes, 0x1000U);
}

TEST(GuestMemory, translates_both_ways_across_pieces) {
  FakeGuest guest;
  const GuestMemory memory = guest.memory();
  const std::uint64_t second = memory.bytes() / 2 + 40;
  EXPECT_EQ(memory.physical(memory.at(second)), second);
  EXPECT_EQ(memory.at(memory.bytes()), nullptr);
  EXPECT_FALSE(memory.word(memory.bytes()).has_value());
  EXPECT_FALSE(memory.physical(&second).has_value());
}

}  // namespace
}  // namespace luf::oracle
