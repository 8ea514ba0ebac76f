#include "run/admission.h"

#include <gtest/gtest.h>

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
            "5 guests at a time keep 20 threads busy, and the host has 16 CPUs");
  EXPECT_EQ(crowding({guest(1, kGiB)}, 4, {16, 4 * kGiB}),
            "4 guests at a time need 1216MiB of memory each, and the host has 4GiB to give");
}

}  // namespace
}  // namespace luf::run
