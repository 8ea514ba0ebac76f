#include "lib/page_pair.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "lib/guarded_load.h"

namespace luf::guest {
namespace {

constexpr PairPromise kPromise{"R1", "the test had returned", std::nullopt};

/// A pair on anonymous memory in version 1. A phase of one act: the second page's.
class PagePairTest : public testing::Test {
 protected:
  PagePairTest() : area_(map_shared_area()), context_("unmap_access", 0, values_, {1, 1}, 1, *area_) {
    view_ = static_cast<char*>(
        mmap(nullptr, 2 * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::uint64_t page = 0; page < 2; ++page)
      fill_page(view_ + page * kPageSize, context_.owner(), page, 1);
    for (const char* name : {"tries", "promises", "brief"}) context_.metric(name);
    install_load_guard();
    area_->start.store(1);
  }
  ~PagePairTest() override {
    munmap(view_, 2 * kPageSize);
    unmap_shared_area(area_);
  }

  void act_once(const std::function<void(PagePair& pair)>& act, const PairAccess& access = guarded_load) {
    PagePair pair(context_, view_, 2, 0, access);
    pair.run(1, Absence::no_entry, [&](std::uint64_t page) {
      EXPECT_EQ(page, 1U);
      pair.begin(page);
      act(pair);
      area_->stop.store(1);
    });
  }
  std::uint64_t findings() const { return area_->parts[0].findings.load(); }
  std::string_view rule() const { return area_->parts[0].records[0].rule; }
  std::string_view detail() const { return area_->parts[0].records[0].detail; }

  ParamValues values_{{{"pages", 2}, {"period", 1000}}, {}};
  SharedArea* area_;
  PartContext context_;
  char* view_;
};

TEST_F(PagePairTest, a_page_that_faults_as_promised_is_no_finding) {
  act_once([&](PagePair& pair) {
    mprotect(pair.address(1), kPageSize, PROT_NONE);
    pair.tell(1, kFault, kPromise);
  });
  EXPECT_EQ(findings(), 0U);
  EXPECT_EQ(context_.metric("tries"), 1U);
}

TEST_F(PagePairTest, a_page_that_should_fault_and_does_not_breaks_the_rule_of_its_promise) {
  act_once([&](PagePair& pair) { pair.tell(1, kFault, kPromise); });
  ASSERT_GE(findings(), 1U);  // B goes on finding it until A goes on
  EXPECT_EQ(rule(), "R1");
  EXPECT_EQ(detail().substr(0, detail().find(" line")), "A thread read page 1");
  EXPECT_NE(detail().find("although the test had returned."), detail().npos);
}

TEST_F(PagePairTest, old_lines_break_the_promise_of_a_version_and_of_zeros) {
  act_once([&](PagePair& pair) {
    pair.tell(1, 2, kPromise);
    pair.begin(1);
    pair.tell(1, kZeros, kPromise);
  });
  EXPECT_GE(findings(), 2U);
  EXPECT_EQ(rule(), "R1");
}

TEST_F(PagePairTest, zeros_and_the_next_version_are_seen_when_they_are_there) {
  act_once([&](PagePair& pair) {
    std::fill_n(pair.address(1), kPageSize, '\0');
    pair.tell(1, kZeros, kPromise);
    pair.begin(1);
    fill_page(pair.address(1), context_.owner(), 1, 2);
    pair.tell(1, 2, kPromise);
  });
  EXPECT_EQ(findings(), 0U);
}

TEST_F(PagePairTest, a_store_that_should_fault_and_does_not_is_a_finding) {
  act_once(
      [&](PagePair& pair) {
        mprotect(pair.address(1), kPageSize, PROT_READ);
        pair.tell(1, kFault, kPromise);
      },
      guarded_store);
  EXPECT_EQ(findings(), 0U);
  mprotect(view_ + kPageSize, kPageSize, PROT_READ | PROT_WRITE);
  area_->stop.store(0);
  act_once([&](PagePair& pair) { pair.tell(1, kFault, kPromise); }, guarded_store);
  EXPECT_GE(findings(), 1U);
  EXPECT_EQ(rule(), "R1");
}

TEST_F(PagePairTest, what_an_access_of_its_own_finds_is_judged) {
  std::atomic<std::uint64_t> found = 1;
  const PairAccess access = [&](const Line* at, Line& seen) {
    seen = load_line(at);
    if (seen.page == 1) seen = make_line(seen.owner, seen.page, found, seen.line);
    return true;
  };
  act_once(
      [&](PagePair& pair) {
        found = 2;
        pair.tell(1, 2, kPromise);
      },
      access);
  EXPECT_EQ(findings(), 0U);
  found = 1;
  area_->stop.store(0);
  act_once([&](PagePair& pair) { pair.tell(1, 2, kPromise); }, access);
  EXPECT_GE(findings(), 1U);
}

TEST_F(PagePairTest, zeros_say_nothing_only_of_a_page_that_may_be_gone) {
  constexpr PairPromise kGone{"R6", "the test had returned", std::nullopt, false, true};
  act_once([&](PagePair& pair) {
    fill_page(pair.address(1), context_.owner(), 1, 2);
    std::fill_n(pair.address(1), kPageSize / 2 + 8, '\0');
    pair.tell(1, 2, kGone);
  });
  EXPECT_EQ(findings(), 0U);
  fill_page(view_ + kPageSize, context_.owner(), 1, 1);
  area_->stop.store(0);
  act_once([&](PagePair& pair) {
    std::fill_n(pair.address(1), kPageSize, '\0');
    pair.tell(1, 2, kPromise);
  });
  ASSERT_GE(findings(), 1U);
  EXPECT_EQ(rule(), "R8");
}

TEST_F(PagePairTest, a_foreign_line_is_reuse_whatever_was_promised) {
  act_once([&](PagePair& pair) {
    fill_page(pair.address(1), owner_id("churn", 3), 7, 2);
    pair.tell(1, 2, kPromise);
  });
  ASSERT_GE(findings(), 1U);
  EXPECT_EQ(rule(), "R8");
}

}  // namespace
}  // namespace luf::guest
