#include "lib/page_pattern.h"

#include <gtest/gtest.h>

#include <array>

namespace luf::guest {
namespace {

alignas(kPageSize) std::array<Line, kLinesPerPage> page;

TEST(PagePattern, every_line_of_a_filled_page_says_whose_it_is) {
  fill_page(page.data(), owner_id("reader", 3), 17, 5);
  for (std::uint64_t number = 0; number < kLinesPerPage; ++number) {
    const Line line = load_line(&page[number]);
    EXPECT_TRUE(well_formed(line));
    EXPECT_TRUE(same_place(line, owner_id("reader", 3), 17, number));
    EXPECT_EQ(line.version, 5U);
  }
}

TEST(PagePattern, a_restamped_page_equals_one_filled_in_that_version) {
  fill_page(page.data(), 1, 2, 3);
  const auto filled = page;
  fill_page(page.data(), 1, 2, 0x1234);
  restamp_page(page.data(), 1, 2, 3);
  EXPECT_EQ(page, filled);
}

TEST(PagePattern, a_restamped_line_leaves_the_others_alone) {
  fill_page(page.data(), 1, 2, 3);
  restamp_line(page.data(), 1, 2, 4, 5);
  for (std::uint64_t number = 0; number < kLinesPerPage; ++number)
    EXPECT_EQ(page[number], make_line(1, 2, number == 5 ? 4 : 3, number));
}

TEST(PagePattern, a_line_with_any_word_changed_is_not_well_formed) {
  for (std::size_t word = 0; word < kWordsPerLine; ++word) {
    Line line = make_line(7, 8, 9, 10);
    reinterpret_cast<std::uint64_t*>(&line)[word] ^= 0x100;
    EXPECT_FALSE(well_formed(line)) << word;
  }
}

TEST(PagePattern, a_torn_line_keeps_its_place_but_is_not_well_formed) {
  Line line = make_line(7, 8, 9, 10);
  line.version = 11;
  EXPECT_TRUE(same_place(line, 7, 8, 10));
  EXPECT_FALSE(well_formed(line));
}

TEST(PagePattern, another_place_is_told_apart) {
  const Line line = make_line(7, 8, 9, 10);
  EXPECT_FALSE(same_place(line, 6, 8, 10));
  EXPECT_FALSE(same_place(line, 7, 9, 10));
  EXPECT_FALSE(same_place(line, 7, 8, 11));
}

TEST(PagePattern, owner_ids_can_be_read_and_differ_by_index) {
  EXPECT_EQ(owner_text(owner_id("foreign_content", 12)), "foreig12");
  EXPECT_EQ(owner_text(owner_id("ab", 0)), "ab____00");
  EXPECT_NE(owner_id("churn", 1), owner_id("churn", 2));
  EXPECT_EQ(owner_text(0x22), "........");
}

TEST(PagePattern, a_description_names_the_owner) {
  EXPECT_EQ(describe_line(make_line(owner_id("churn", 3), 4, 5, 6)), "page 4 line 6 version 5 of churn_03");
  EXPECT_EQ(describe_line(Line{}), "zeros");
  Line other{};
  other.owner = 1;
  EXPECT_EQ(describe_line(other), "data that describes nothing");
}

}  // namespace
}  // namespace luf::guest
