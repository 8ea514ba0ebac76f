#include "oracle.h"

#include <gtest/gtest.h>

#include "oracle/fake_guest.h"

namespace luf::oracle {
namespace {

using testing::FakeGuest;
constexpr std::uint64_t kAddress = 0x7f0000201000;
constexpr std::uint64_t kFrame = 100;
constexpr std::uint64_t kOther = 101;
constexpr std::uint64_t kFile = 0xffff888000001000;
constexpr std::uint64_t kAnonymous = 0xffff888000002001;
constexpr std::uint64_t kReadOnly = kPresent | kUser;

constexpr std::uint64_t entry_of(std::uint64_t frame, std::uint64_t bits) {
  return frame << kPageShift | bits;
}

Promise promise_of(unsigned rule, bool at_once, std::uint8_t forbids = kAnyAccess) {
  Promise promise;
  promise.rule = rule;
  promise.forbids = forbids;
  promise.at_once = at_once;
  promise.what = "it was said";
  return promise;
}

/// A file's page, mapped by an entry with these bits that CPU 1 has used, and then cleared by CPU 0.
class Stale : public ::testing::Test {
 protected:
  void unmap(std::uint64_t bits = kReadOnly, std::uint8_t used_for = kLoad) {
    guest.set_owner(kFrame, kFile, 7, 3);
    guest.set_entry(0, kAddress, entry_of(kFrame, bits));
    ASSERT_EQ(guest.access(1, kAddress, kFrame, used_for), std::nullopt);
    guest.set_entry(0, kAddress, 0);
  }
  void promise(const Promise& promise, std::uint64_t syscall = 0) {
    guest.oracle.promise(FakeGuest::kRoot << kPageShift, kAddress >> kPageShift, 1, promise,
                         guest.oracle.changes_so_far(), syscall);
  }
  unsigned last_rule() { return guest.oracle.findings().all().back()->rule; }
  FakeGuest guest;
};

TEST_F(Stale, access_in_the_window_is_legal) {
  unmap();
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
  guest.set_owner(kFrame, 0, 7, 0);  // out of the page cache, not yet flushed: so does every reclaim
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
  EXPECT_TRUE(guest.oracle.findings().all().empty());
}

TEST_F(Stale, access_to_what_was_deferred_is_counted_as_such) {
  unmap();
  guest.set_owner(kFrame, 0, 12345, 0);
  guest.oracle.deferred(kFrame);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kDeferred);
}

TEST_F(Stale, a_new_owner_is_a_violation) {
  unmap();
  guest.set_owner(kFrame, kAnonymous, 9, 1);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
  EXPECT_EQ(last_rule(), 8U);
}

TEST_F(Stale, the_owner_may_write_to_its_own_page) {
  unmap();
  *guest.word((kFrame << kPageShift) + 64) = 1;  // pwrite() to a page that is still cached
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
}

TEST_F(Stale, changed_bytes_of_a_freed_frame_are_a_violation_with_their_place) {
  unmap();
  guest.set_owner(kFrame, 0, 0, 0);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
  *guest.word((kFrame << kPageShift) + 64) = 0xee;
  guest.oracle.stored(guest.vcpus[0], (kFrame << kPageShift) + 64, 8, 0xffffffff81000123);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
  const Finding& finding = *guest.oracle.findings().all().back();
  EXPECT_EQ(finding.rule, 8U);
  ASSERT_TRUE(finding.difference.has_value());
  EXPECT_EQ(finding.difference->offset, 64U);
  EXPECT_EQ(finding.difference->after[0], 0xee);
  EXPECT_EQ(finding.change.storer.pc, 0xffffffff81000123);
}

TEST_F(Stale, bytes_that_a_device_changes_are_seen_too) {
  unmap();
  guest.set_owner(kFrame, 0, 0, 0);
  *guest.word((kFrame << kPageShift) + 8) = 1;  // no CPU stored it
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
}

TEST_F(Stale, anonymous_memory_may_change_its_mapping_without_being_freed) {
  guest.set_owner(kFrame, kAnonymous, 7, 3);
  guest.set_entry(0, kAddress, entry_of(kFrame, kReadOnly));
  guest.access(1, kAddress, kFrame);
  guest.set_entry(0, kAddress, 0);
  guest.set_owner(kFrame, kAnonymous + 0x100, 90, 2);  // UFFDIO_MOVE
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
  *guest.word((kFrame << kPageShift) + 8) = 1;
  guest.oracle.flushed(guest.vcpus[1]);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kUnknown);
}

TEST_F(Stale, a_promise_ends_the_window) {
  unmap();
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
  promise(promise_of(1, true));
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
  EXPECT_EQ(last_rule(), 1U);
}

TEST_F(Stale, a_promise_says_nothing_of_later_changes) {
  unmap();
  const std::uint64_t before = guest.oracle.changes_so_far();
  guest.set_entry(0, kAddress, entry_of(kOther, kReadOnly));
  guest.access(1, kAddress, kOther);
  guest.set_entry(0, kAddress, 0);
  guest.oracle.promise(FakeGuest::kRoot << kPageShift, kAddress >> kPageShift, 1, promise_of(1, true), before,
                       0);
  EXPECT_EQ(guest.access(1, kAddress, kOther), Class::kWindow);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
}

TEST_F(Stale, a_promise_covers_what_its_own_system_call_changed) {
  guest.set_owner(kFrame, kFile, 7, 3);
  guest.set_entry(0, kAddress, entry_of(kFrame, kReadOnly));
  guest.access(1, kAddress, kFrame);
  const std::uint64_t before = guest.oracle.changes_so_far();
  guest.vcpus[0].syscall = 77;
  guest.set_entry(0, kAddress, 0);
  guest.oracle.promise(FakeGuest::kRoot << kPageShift, kAddress >> kPageShift, 1, promise_of(1, true), before,
                       77);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
}

TEST_F(Stale, a_promise_of_data_waits_for_a_batch_in_flight) {
  unmap();
  promise(promise_of(3, false));
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
  guest.set_owner(kFrame, 0, 12345, 0);
  guest.oracle.deferred(kFrame);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
  EXPECT_EQ(last_rule(), 3U);
}

TEST_F(Stale, a_promise_to_a_file_binds_what_was_deferred_of_it) {
  unmap();
  guest.oracle.deferred(kFrame);
  guest.oracle.promise_file(kFile + 8, promise_of(3, false), guest.oracle.changes_so_far());
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kDeferred);
  guest.oracle.promise_file(kFile, promise_of(3, false), guest.oracle.changes_so_far());
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
}

TEST_F(Stale, a_store_is_legal_until_the_unmapper_is_done) {
  unmap(FakeGuest::kUserPage, kStore);
  EXPECT_EQ(guest.access(1, kAddress, kFrame, kStore), Class::kWindow);
  guest.oracle.deferred(kFrame);
  EXPECT_EQ(guest.access(1, kAddress, kFrame, kStore), Class::kViolation);
  EXPECT_EQ(last_rule(), 7U);
}

TEST_F(Stale, a_lost_permission_is_stale_only_for_what_it_forbids) {
  guest.set_owner(kFrame, kAnonymous, 7, 1);
  guest.set_entry(0, kAddress, entry_of(kFrame, FakeGuest::kUserPage));
  guest.access(1, kAddress, kFrame, kStore);
  guest.set_entry(0, kAddress, entry_of(kFrame, kReadOnly));
  EXPECT_EQ(guest.access(1, kAddress, kFrame, kLoad), std::nullopt);
  EXPECT_EQ(guest.access(1, kAddress, kFrame, kStore), Class::kWindow);
  promise(promise_of(2, true, kStore));
  EXPECT_EQ(guest.access(1, kAddress, kFrame, kStore), Class::kViolation);
  EXPECT_EQ(last_rule(), 2U);
}

TEST_F(Stale, what_nobody_changed_is_unknown) {
  unmap();
  EXPECT_EQ(guest.access(1, kAddress, kOther), Class::kUnknown);
  ASSERT_EQ(guest.oracle.unknown().size(), 1U);
}

TEST_F(Stale, a_change_that_is_not_told_yet_is_a_window) {
  guest.set_entry(0, kAddress, entry_of(kFrame, kReadOnly));
  guest.access(1, kAddress, kFrame);
  *guest.slot(kAddress, 1) = 0;  // CPU 0 has stored, and stands still
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
}

TEST_F(Stale, an_older_change_of_the_same_entry_does_not_count) {
  unmap();
  promise(promise_of(1, true));
  guest.set_entry(0, kAddress, entry_of(kFrame, kReadOnly));  // the same page, mapped there again
  ASSERT_EQ(guest.access(1, kAddress, kFrame), std::nullopt);
  *guest.slot(kAddress, 1) = 0;  // CPU 0 has stored, and stands still
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
}

TEST_F(Stale, violations_are_folded_and_counted) {
  unmap();
  promise(promise_of(1, true));
  for (int i = 0; i < 1000; ++i) guest.access(1, kAddress, kFrame);
  ASSERT_EQ(guest.oracle.findings().all().size(), 1U);
  EXPECT_EQ(guest.oracle.findings().all()[0]->count.load(), 1000U);
  EXPECT_EQ(guest.oracle.numbers().classes[2], 1000U);
}

TEST_F(Stale, a_switch_ends_it_and_fills_the_histograms) {
  unmap();
  guest.access(1, kAddress, kFrame);
  guest.oracle.flushed(guest.vcpus[1]);
  std::uint64_t flushes = 0;
  for (const std::uint64_t count : guest.oracle.numbers().clear_to_flush.buckets) flushes += count;
  EXPECT_EQ(flushes, 1U);
}

TEST_F(Stale, a_table_that_is_cut_off_takes_its_entries_with_it) {
  guest.set_owner(kFrame, kFile, 7, 3);
  guest.set_entry(0, kAddress, entry_of(kFrame, kReadOnly));
  guest.access(1, kAddress, kFrame);
  guest.set_entry(0, kAddress, 0, 2);
  guest.set_owner(kFrame, kAnonymous, 7, 3);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
}

TEST_F(Stale, entries_of_2_mib_are_judged_by_the_promise) {
  guest.set_entry(0, kAddress, entry_of(0x0, FakeGuest::kUserPage | kLarge), 2);
  ASSERT_EQ(guest.access(1, kAddress, 1), std::nullopt);
  guest.set_entry(0, kAddress, 0, 2);
  EXPECT_EQ(guest.access(1, kAddress, 1), Class::kWindow);
  guest.oracle.promise(FakeGuest::kRoot << kPageShift, (kAddress >> kPageShift) & ~511ULL, 512,
                       promise_of(1, true), guest.oracle.changes_so_far(), 0);
  EXPECT_EQ(guest.access(1, kAddress, 1), Class::kViolation);
}

TEST(Oracle, accessed_and_dirty_bits_change_nothing) {
  FakeGuest guest;
  guest.set_entry(0, kAddress, entry_of(kFrame, FakeGuest::kUserPage));
  guest.access(1, kAddress, kFrame);
  const std::uint64_t key = Oracle::key(kAddress, 2);
  const auto verified = [&](unsigned vcpu, std::uint8_t kind) {
    return guest.oracle.verified(guest.vcpus[vcpu], key, kind) != nullptr;
  };
  EXPECT_TRUE(verified(1, kLoad));
  guest.set_entry(0, kAddress, entry_of(kFrame, FakeGuest::kUserPage | 0x60));
  EXPECT_TRUE(verified(1, kStore));
  EXPECT_FALSE(verified(0, kLoad));  // another CPU's TLB
  guest.set_entry(0, kAddress, 0);
  EXPECT_FALSE(verified(1, kLoad));
}

TEST(Oracle, a_doorbell_says_what_was_false_at_the_mark_and_in_which_phase) {
  FakeGuest guest;
  using protocol::Ring;
  const auto ring = [&guest](Ring what, unsigned rule, unsigned mark, std::uint64_t page) {
    guest.oracle.ring(guest.vcpus[0],
                      protocol::read_doorbell(protocol::doorbell_word(what, rule, mark, page)));
  };
  guest.set_owner(kFrame, kFile, 7, 3);
  guest.set_owner(kOther, kFile, 7, 3);
  for (const std::uint64_t frame : {kFrame, kOther}) {
    guest.set_entry(0, kAddress, entry_of(frame, kReadOnly));
    guest.access(1, kAddress, frame);
    guest.set_entry(0, kAddress, 0);
    if (frame == kFrame) ring(Ring::kMark, 0, 6, 0);
  }
  ring(Ring::kPhase, 0, 0, 1);
  ring(Ring::kSettled, 9, 6, kAddress >> kPageShift);
  EXPECT_EQ(guest.access(1, kAddress, kOther), Class::kWindow);  // after the mark: perhaps the new bytes
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kViolation);
  EXPECT_EQ(guest.oracle.findings().all()[0]->rule, 9U);
  EXPECT_EQ(guest.oracle.findings().all()[0]->phase, 1);
}

TEST_F(Stale, a_promise_under_the_rule_of_stores_forbids_no_load) {
  using protocol::Ring;
  const auto ring = [this](Ring what, unsigned mark) {
    const std::uint64_t page = what == Ring::kMark ? 0 : kAddress >> kPageShift;
    guest.oracle.ring(guest.vcpus[0], protocol::read_doorbell(protocol::doorbell_word(what, 7, mark, page)));
  };
  unmap(FakeGuest::kUserPage, kStore);
  ring(Ring::kMark, 3);
  EXPECT_EQ(guest.access(1, kAddress, kFrame, kStore), Class::kWindow);
  ring(Ring::kSettled, 3);
  EXPECT_EQ(guest.access(1, kAddress, kFrame), Class::kWindow);
  EXPECT_EQ(guest.access(1, kAddress, kFrame, kStore), Class::kViolation);
  EXPECT_EQ(last_rule(), 7U);
}

}  // namespace
}  // namespace luf::oracle
