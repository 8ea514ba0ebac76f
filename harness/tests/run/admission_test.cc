#include "run/admission.h"

#include <gtest/gtest.h>

#include "judge/judge.h"
#include "support/temp_directory.h"

namespace luf::run {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30U;

Job guest(std::int64_t cpus, std::uint64_t memory, bool deterministic = false) {
  Job job;
  job.scenario.machine.cpus = cpus;
  job.scenario.machine.memory = memory;
  if (deterministic) job.scenario.machine.icount = 4;
  return job;
}

TEST(Admission, a_virtual_cpu_needs_a_cpu_of_the_host) {
  EXPECT_EQ(room_for({guest(4, kGiB)}, {16, 64 * kGiB}), 4U);
  EXPECT_EQ(room_for({guest(2, kGiB), guest(8, kGiB)}, {16, 64 * kGiB}), 2U);  // the largest decides
}

TEST(Admission, those_of_a_deterministic_guest_take_turns_on_one) {
  EXPECT_EQ(room_for({guest(4, kGiB, true)}, {16, 64 * kGiB}), 16U);
}

TEST(Admission, memory_counts_too_with_what_qemu_needs_and_a_slow_node) {
  EXPECT_EQ(room_for({guest(1, kGiB)}, {16, 4 * kGiB}), 3U);
  Job tiered = guest(1, kGiB);
  tiered.scenario.machine.slow_memory = kGiB;
  EXPECT_EQ(room_for({tiered}, {16, 4 * kGiB}), 1U);
  EXPECT_EQ(room_for({guest(1, kGiB)}, {16, 0}), 16U);  // not known
}

TEST(Admission, one_alone_is_never_too_many) {
  EXPECT_EQ(room_for({guest(16, 8 * kGiB)}, {2, kGiB}), 1U);
  EXPECT_EQ(crowding({guest(16, 8 * kGiB)}, 1, {2, kGiB}), "");
  EXPECT_EQ(room_for({}, {2, kGiB}), 2U);
}

TEST(Admission, says_what_the_host_lacks) {
  EXPECT_EQ(crowding({guest(4, kGiB)}, 4, {16, 64 * kGiB}), "");
  EXPECT_EQ(crowding({guest(4, kGiB)}, 5, {16, 64 * kGiB}),
            "5 guests at a time keep 20 threads busy, and lufbed can have 16 CPUs");
  EXPECT_EQ(crowding({guest(1, kGiB)}, 4, {16, 4 * kGiB}),
            "4 guests at a time need 1216MiB of memory each, and lufbed can have 4GiB");
}

TEST(Place, fills_the_host_and_no_more) {
  Settings settings;
  place({guest(4, kGiB)}, 0, {16, 64 * kGiB}, settings);
  EXPECT_EQ(settings.guests, 4U);
  EXPECT_EQ(settings.crowding, "");
}

TEST(Place, does_what_was_asked_and_says_what_is_wrong_with_it) {
  Settings settings;
  place({guest(4, kGiB)}, 2, {16, 64 * kGiB}, settings);
  EXPECT_EQ(settings.guests, 2U);
  EXPECT_EQ(settings.crowding, "");
  place({guest(4, kGiB)}, 9, {16, 64 * kGiB}, settings);
  EXPECT_EQ(settings.crowding, "");  // there is but one
  place(std::vector<Job>(20, guest(4, kGiB)), 9, {16, 64 * kGiB}, settings);
  EXPECT_EQ(settings.guests, 9U);
  EXPECT_EQ(settings.crowding, "9 guests at a time keep 36 threads busy, and lufbed can have 16 CPUs");
  place({guest(4, kGiB)}, 4, {16, 64 * kGiB}, settings);
  EXPECT_EQ(settings.crowding, "");  // what was wrong before is not now
}

/// A host as its files show it: 8 GiB available, and a group of version 2 with these two limits.
Host host_with(const std::string& cpu_max, const std::string& memory_max) {
  const luf::testing::TempDirectory root;
  std::filesystem::create_directories(root / "proc/self");
  std::filesystem::create_directories(root / "sys/fs/cgroup");
  root.put("proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n");
  root.put("proc/self/cgroup", "0::/\n");
  root.put("proc/self/mountinfo", "30 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup rw\n");
  root.put("sys/fs/cgroup/cpu.max", cpu_max);
  root.put("sys/fs/cgroup/memory.max", memory_max);
  return this_host(root.path());
}

TEST(ThisHost, is_no_larger_than_its_container) {
  EXPECT_EQ(host_with("100000 100000", "max").cpus, 1U);
  EXPECT_EQ(host_with("max 100000", "2147483648").memory, 2 * kGiB);
  EXPECT_EQ(host_with("max 100000", "max").memory, 8 * kGiB);
  EXPECT_EQ(host_with("max 100000", "0").memory, 1U << 20U);  // 0 would be: not known
}

/// The verdict on a guest that hung when as many of its kind as that ran at a time.
judge::Verdict of_a_hang(const Job& job, std::size_t guests) {
  Settings settings;
  place(std::vector<Job>(guests, job), guests, {2, 64 * kGiB}, settings);
  judge::Observation seen;
  seen.end = judge::RunEnd::kStalled;
  seen.crowding = crowding_of(settings, job);
  return judge::judge(job.scenario, {}, seen);
}

TEST(Crowding, makes_a_hang_infra_but_never_that_of_a_deterministic_guest) {
  EXPECT_EQ(of_a_hang(guest(2, kGiB), 1).outcome, judge::Outcome::kFail);
  const judge::Verdict crowded = of_a_hang(guest(2, kGiB), 4);
  EXPECT_EQ(crowded.outcome, judge::Outcome::kInfra);
  EXPECT_EQ(
      crowded.reason,
      "a hang that the host may have made, for 4 guests at a time keep 8 threads busy, and lufbed can have 2 "
      "CPUs: no event for 1min, while QEMU still answers");
  const judge::Verdict deterministic = of_a_hang(guest(2, kGiB, true), 4);
  EXPECT_EQ(deterministic.outcome, judge::Outcome::kFail);
  EXPECT_EQ(deterministic.reason, "the guest hung: no event for 1min, while QEMU still answers");
}

}  // namespace
}  // namespace luf::run
