// The oracle's smaller parts: its log, symbols, system calls, doorbell, reports.
#include <gtest/gtest.h>

#include "base/file.h"
#include "change_log.h"
#include "guest_memory.h"
#include "judge/oracle.h"
#include "oracle/fake_guest.h"
#include "report.h"
#include "symbols.h"
#include "syscalls.h"

namespace luf::oracle {
namespace {

constexpr std::uint64_t kRoot = 0x1000;

Change change_of(std::uint64_t page, std::uint64_t frame) {
  Change change;
  change.root = kRoot;
  change.page = page;
  change.frame = frame;
  return change;
}

TEST(ChangeLog, finds_the_newest_of_a_page_and_frame) {
  ChangeLog log;
  const std::vector<std::byte> content(kPageBytes, std::byte{5});
  log.add(change_of(7, 100), content.data());
  log.add(change_of(7, 101), nullptr);
  Change* found = log.find(kRoot, 7, 100);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->serial, 1U);
  EXPECT_EQ(log.content(*found)[9], std::byte{5});
  EXPECT_EQ(log.content(*log.find(kRoot, 7, 101)), nullptr);
  EXPECT_EQ(log.find(kRoot + 0x1000, 7, 100), nullptr);
}

TEST(ChangeLog, forgets_the_oldest_and_says_so) {
  ChangeLog log;
  const std::vector<std::byte> content(kPageBytes);
  log.add(change_of(7, 100), content.data());
  for (std::size_t i = 0; i < ChangeLog::kSnapshots; ++i) log.add(change_of(1000 + i, 100), content.data());
  ASSERT_NE(log.find(kRoot, 7, 100), nullptr);
  EXPECT_EQ(log.content(*log.find(kRoot, 7, 100)), nullptr);
  for (std::size_t i = 0; i < ChangeLog::kChanges; ++i) log.add(change_of(8, 100), nullptr);
  EXPECT_EQ(log.find(kRoot, 7, 100), nullptr);
}

TEST(Symbols, are_read_from_a_map_and_from_an_elf_file) {
  Symbols symbols;
  ASSERT_TRUE(symbols.add("ffffffff81000000 T first\nffffffff81000100 t second\nffffffff81000200 D data\n"));
  symbols.finish();
  EXPECT_EQ(symbols.describe(0xffffffff81000010), "first+0x10");
  EXPECT_EQ(symbols.describe(0x10), "0x10");
  EXPECT_EQ(symbols.find("first")->size, 0x100U);
  EXPECT_EQ(symbols.find("data")->address, 0xffffffff81000200);
  Symbols own;
  EXPECT_TRUE(own.add(*read_file("/proc/self/exe")));
  EXPECT_FALSE(Symbols().add("\177ELF, and then nothing"));
  EXPECT_FALSE(Symbols().add("ffffffffffffffff B The real System.map is elsewhere\n"));
}

std::vector<PromisedRange> after(const Syscall& call, std::uint64_t result) {
  return promised(call, result, [](std::uint64_t address) { return std::optional<std::uint64_t>(address); });
}

TEST(Syscalls, promise_by_returning) {
  const auto unmapped = after({11, {0x5000, 0x2000, 0, 0, 0, 0}}, 0);
  ASSERT_EQ(unmapped.size(), 1U);
  EXPECT_EQ(unmapped[0].page, 5U);
  EXPECT_EQ(unmapped[0].pages, 2U);
  EXPECT_EQ(unmapped[0].promise.rule, 1U);
  EXPECT_TRUE(unmapped[0].promise.at_once);
  EXPECT_EQ(after({28, {0x5000, 0x1000, 9, 0, 0, 0}}, 0)[0].promise.rule, 4U);
  EXPECT_EQ(after({9, {0x5000, 0x1000, 3, 0x12, 0, 0}}, 0x5000).size(), 1U);
}

TEST(Syscalls, promise_nothing_when_they_fail_or_forbid_nothing) {
  EXPECT_TRUE(after({11, {0x5000, 0x2000, 0, 0, 0, 0}}, static_cast<std::uint64_t>(-22)).empty());
  EXPECT_TRUE(after({9, {0, 0x1000, 3, 0x2, 0, 0}}, 0x7000).empty());  // not MAP_FIXED
  EXPECT_TRUE(after({28, {0x5000, 0x1000, 21, 0, 0, 0}}, 0).empty());  // MADV_PAGEOUT
  EXPECT_TRUE(after({10, {0x5000, 0x1000, 7, 0, 0, 0}}, 0).empty());   // all is allowed
  EXPECT_TRUE(after({0, {0x5000, 0x1000, 7, 0, 0, 0}}, 0).empty());    // read()
}

TEST(Syscalls, mprotect_forbids_by_kind_of_access) {
  EXPECT_EQ(after({10, {0x5000, 0x1000, 0, 0, 0, 0}}, 0)[0].promise.forbids, kAnyAccess);
  EXPECT_EQ(after({10, {0x5000, 0x1000, 1, 0, 0, 0}}, 0)[0].promise.forbids, kStore | kFetch);
  EXPECT_EQ(after({10, {0x5000, 0x1000, 5, 0, 0, 0}}, 0)[0].promise.forbids, kStore);
}

TEST(Syscalls, mremap_promises_what_it_took_away) {
  EXPECT_EQ(after({25, {0x5000, 0x2000, 0x2000, 1, 0, 0}}, 0x9000)[0].pages, 2U);
  const auto shrunk = after({25, {0x5000, 0x3000, 0x1000, 0, 0, 0}}, 0x5000);
  ASSERT_EQ(shrunk.size(), 1U);
  EXPECT_EQ(shrunk[0].page, 6U);
  EXPECT_EQ(shrunk[0].pages, 2U);
  EXPECT_TRUE(after({25, {0x5000, 0x1000, 0x2000, 0, 0, 0}}, 0x5000).empty());
}

TEST(Syscalls, userfaultfd_promises_from_its_argument) {
  // The reader gives each address as its own content: dst at +0, src at +8, len at +16.
  const auto moved = after({16, {3, 0xc028aa05, 0x10000, 0, 0, 0}}, 0);
  ASSERT_EQ(moved.size(), 2U);
  EXPECT_EQ(moved[0].page, 0x10U);
  EXPECT_EQ(moved[0].promise.rule, 9U);
  EXPECT_FALSE(moved[0].promise.at_once);
}

TEST(Doorbell, carries_what_it_says) {
  using protocol::Ring;
  const protocol::RingWord word =
      protocol::read_doorbell(protocol::doorbell_word(Ring::kSettled, 5, 3, 0x7f0000201));
  EXPECT_TRUE(word.valid);
  EXPECT_EQ(word.ring, Ring::kSettled);
  EXPECT_EQ(word.rule, 5U);
  EXPECT_EQ(word.page, 0x7f0000201U);
  EXPECT_EQ(word.mark, 3U);
  EXPECT_FALSE(protocol::read_doorbell(0).valid);
}

TEST(Report, is_read_by_the_harness) {
  testing::FakeGuest guest;
  constexpr std::uint64_t kAddress = 0x7f0000201000;
  guest.set_entry(0, kAddress, 100ULL << kPageShift | kPresent | kUser);
  guest.access(1, kAddress, 100);
  guest.set_entry(0, kAddress, 0);
  Promise promise;
  promise.rule = 1;
  promise.forbids = kAnyAccess;
  promise.at_once = true;
  promise.what = "munmap() had returned";
  promise.vcpu = 2;
  guest.oracle.promise(testing::FakeGuest::kRoot << kPageShift, kAddress >> kPageShift, 1, promise, 99, 0);
  guest.access(1, kAddress, 100);
  ReportSetup setup;
  setup.level = "full";
  setup.complete = true;
  const Oracle::Numbers numbers = guest.oracle.numbers();
  const auto report = judge::parse_oracle_report(report_json(setup, numbers, guest.oracle.findings()));
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(report->violation, 1U);
  ASSERT_EQ(report->findings.size(), 1U);
  EXPECT_EQ(report->findings[0].rule, "R1");
  EXPECT_NE(report->findings[0].detail.find("munmap() had returned"), std::string::npos);
  const std::vector<judge::OracleMark>& marks = report->findings[0].marks;
  ASSERT_EQ(marks.size(), 3U);
  EXPECT_EQ(marks[0].cpu, 0U);
  EXPECT_NE(marks[0].what.find("the entry is cleared"), std::string::npos) << marks[0].what;
  EXPECT_EQ(marks[1].cpu, 2U);
  EXPECT_EQ(marks[1].what, "promise of R1: munmap() had returned");
  EXPECT_EQ(marks[2].cpu, 1U);
  EXPECT_EQ(marks[2].before_ns, 0U);
  const std::string text = report_text(setup, numbers, guest.oracle.findings(), guest.oracle.unknown());
  EXPECT_NE(text.find("window 0 deferred 0 violation 1 unknown 0"), std::string::npos) << text;
  EXPECT_NE(text.find("promise passed: R1, munmap() had returned"), std::string::npos) << text;
}

TEST(Report, that_is_none_is_an_error) { EXPECT_FALSE(judge::parse_oracle_report("{}").has_value()); }

}  // namespace
}  // namespace luf::oracle
