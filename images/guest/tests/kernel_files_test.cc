#include "agent/kernel_files.h"

#include <gtest/gtest.h>

#include "agent/boot.h"

namespace luf::guest {
namespace {

TEST(Counters, are_read_line_by_line) {
  const Counters counters = parse_counters("pgfault 12\nluf_deferred 0\nodd line here\n");
  EXPECT_EQ(counters.size(), 2U);
  EXPECT_EQ(counters.at("pgfault"), 12U);
}

TEST(Counters, increase_leaves_out_what_stood_or_fell) {
  const Counters before{{"a", 1}, {"b", 5}, {"c", 2}};
  const Counters after{{"a", 4}, {"b", 3}, {"c", 2}, {"d", 7}};
  EXPECT_EQ(increase(before, after), (Counters{{"a", 3}, {"d", 7}}));
}

TEST(TlbInterrupts, are_summed_over_all_cpus) {
  EXPECT_EQ(parse_tlb_interrupts(
                "           CPU0       CPU1\nRES:  1  2   Rescheduling\nTLB:   10   32   TLB shootdowns\n"),
            42U);
  EXPECT_EQ(parse_tlb_interrupts("RES: 1\n"), 0U);
}

TEST(ModuleParameters, come_from_the_command_line) {
  EXPECT_EQ(module_parameters("quiet brd.rd_size=65536 brd.rd_nr=1 ext4.x=1\n", "brd"),
            "rd_size=65536 rd_nr=1");
  EXPECT_EQ(module_parameters("quiet", "brd"), "");
  EXPECT_EQ(module_parameters("a_b.c=1", "a-b"), "c=1");
}

TEST(KernelFiles, a_failed_write_names_the_file) {
  EXPECT_NE(write_text("/nonexistent/file", "1").find("/nonexistent/file"), std::string::npos);
  EXPECT_EQ(write_text("/dev/null", "1"), "");
  EXPECT_EQ(read_text("/nonexistent/file"), "");
}

}  // namespace
}  // namespace luf::guest
