#include "lib/part_context.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "lib/guarded_load.h"
#include "lib/unmappers.h"

namespace luf::guest {
namespace {

class PartContextTest : public testing::Test {
 protected:
  PartContextTest() : area_(map_shared_area()) {}
  ~PartContextTest() override { unmap_shared_area(area_); }

  PartContext context(unsigned index, const Topology& topology) {
    return {"foreign_content", index, values_, topology, 1, *area_};
  }

  ParamValues values_{{{"pages", 48}}, {{"via", "memcg"}}};
  SharedArea* area_;
};

TEST_F(PartContextTest, readers_have_the_upper_half_of_the_cpus_and_workers_the_lower) {
  for (unsigned cpus = 2; cpus <= 16; ++cpus) {
    const PartContext subject = context(0, {cpus, 1});
    EXPECT_EQ(subject.reader_cpu(0), cpus - 1);
    for (unsigned n = 0; n < 20; ++n) {
      EXPECT_GE(subject.reader_cpu(n), cpus - cpus / 2);
      EXPECT_LT(subject.worker_cpu(n), cpus - cpus / 2);
    }
  }
}

TEST_F(PartContextTest, findings_beyond_those_kept_are_counted) {
  PartContext subject = context(2, {4, 1});
  for (std::size_t i = 0; i < kFindingsKept + 5; ++i) {
    Evidence evidence;
    evidence.number("page", i);
    evidence.text("owner", "churn_03");
    evidence.line("seen", make_line(1, 2, 3, 4));
    subject.report("R8", "One sentence.", evidence);
  }
  const PartSlot& slot = area_->parts[2];
  EXPECT_EQ(slot.findings.load(), kFindingsKept + 5);
  const auto evidence = nlohmann::json::parse(slot.records[kFindingsKept - 1].evidence);
  EXPECT_EQ(evidence.at("page"), kFindingsKept - 1);
  EXPECT_EQ(evidence.at("seen").size(), kWordsPerLine);
}

TEST_F(PartContextTest, evidence_that_is_too_long_stays_valid_json) {
  PartContext subject = context(0, {4, 1});
  Evidence evidence;
  for (int i = 0; i < 50; ++i) evidence.line("seen", make_line(1, 2, 3, 4));
  subject.report("R8", "One sentence.", evidence);
  EXPECT_FALSE(nlohmann::json::parse(area_->parts[0].records[0].evidence, nullptr, false).is_discarded());
}

TEST_F(PartContextTest, a_missing_parameter_ends_the_process_with_a_message) {
  const pid_t pid = fork();
  if (pid == 0) {
    PartContext subject = context(1, {4, 1});
    subject.number("period");
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_EQ(area_->parts[1].failed.load(), 2U);
  EXPECT_STREQ(area_->parts[1].error, "the plan gives no number for parameter period");
}

TEST_F(PartContextTest, unmappers_have_returned_when_the_calls_under_way_are_over) {
  const UnmappersReturned before(*area_);
  EXPECT_TRUE(before.all());
  auto call = std::make_unique<Unmapping>(*area_, 3);
  const UnmappersReturned during(*area_);
  EXPECT_FALSE(during.all());
  call.reset();
  EXPECT_TRUE(during.all());
  const Unmapping next(*area_, 3);
  EXPECT_TRUE(during.all()) << "a later call does not count";
}

TEST_F(PartContextTest, no_call_is_under_way_in_a_quiet_moment) {
  std::atomic<bool> quiet{false};
  std::atomic<std::uint64_t> calls{0};
  std::thread injector([&] {
    while (area_->stop.load() == 0) {
      const Unmapping call(*area_, 3);
      if (area_->stop.load() != 0) return;
      EXPECT_FALSE(quiet.load());
      calls.fetch_add(1);
    }
  });
  for (int i = 0; i < 100; ++i) {
    const QuietMoment moment(*area_);
    quiet.store(true);
    quiet.store(false);
  }
  while (calls.load() == 0) std::this_thread::yield();
  area_->stop.store(1);
  injector.join();
}

TEST(GuardedLoad, tells_a_fault_from_a_value) {
  void* at = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(at, MAP_FAILED);
  fill_page(at, 1, 2, 3);
  ASSERT_TRUE(install_load_guard());
  Line line{};
  EXPECT_TRUE(guarded_load(static_cast<Line*>(at), line));
  EXPECT_EQ(line, make_line(1, 2, 3, 0));
  munmap(at, kPageSize);
  EXPECT_FALSE(guarded_load(static_cast<Line*>(at), line));
  EXPECT_FALSE(guarded_load(static_cast<Line*>(at), line));
}

}  // namespace
}  // namespace luf::guest
