#include "run/arms.h"

#include <gtest/gtest.h>

#include "run/comparison.h"

namespace luf::run {
namespace {

Experiment experiment() {
  Job one;
  one.file = "scenarios/x.toml";
  one.name = "one";
  Job two = one;
  two.name = "two";
  return {{one, two}, {{.name = "a"}, {.name = "b", .luf = "on", .points = "mm-lock"}, {.name = "c"}}, 2, 7};
}

TEST(Arms, take_turns_and_share_their_seeds) {
  std::vector<std::string> names;
  std::vector<std::int64_t> seeds;
  for (const Job& job : jobs_of(experiment())) {
    names.push_back(job.name);
    seeds.push_back(job.scenario.seed);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"one/a", "one/b", "one/c", "two/a", "two/b", "two/c", "one/b",
                                             "one/c", "one/a", "two/b", "two/c", "two/a"}));
  EXPECT_EQ(seeds, (std::vector<std::int64_t>{7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8}));
}

TEST(Arms, set_the_kernel_and_leave_the_file_to_the_run_directory) {
  const Job job = jobs_of(experiment()).at(1);
  EXPECT_EQ(job.scenario.kernel.luf, "on");
  EXPECT_EQ(job.scenario.kernel.points, "mm-lock");
  EXPECT_TRUE(job.file.empty());
}

TEST(Arms, find_their_own_guests_again) {
  const Experiment whole = experiment();
  std::vector<report::Summary> summaries;
  for (const Job& job : jobs_of(whole)) summaries.emplace_back().scenario = job.name;
  for (std::size_t arm = 0; arm < whole.arms.size(); ++arm) {
    for (const report::Summary& boot : boots_of(whole, summaries, 1, arm))
      EXPECT_EQ(boot.scenario, "two/" + whole.arms[arm].name);
  }
}

report::Summary counted(std::uint64_t ipis, std::uint64_t pages) {
  report::Summary summary;
  summary.counters = {{"ipi_tlb", ipis}, {"pgsteal_file", pages}};
  summary.metrics = {{"x.ops", 2 * pages}};
  summary.flushes = {{"age", ipis / 2}};
  summary.gauges = {{"luf_pending_max", 64}};
  return summary;
}

const Ratio kRatio{"IPIs", {"ipi_tlb"}, {"pgsteal_anon", "pgsteal_file"}};

TEST(Comparison, adds_counters_up_and_divides) {
  EXPECT_DOUBLE_EQ(value_of(kRatio, counted(50, 100)), 0.5);
  EXPECT_DOUBLE_EQ(value_of({"", {"ipi_tlb"}, {"x.ops"}}, counted(50, 100)), 0.25);
  EXPECT_DOUBLE_EQ(value_of(kRatio, counted(50, 0)), 0);
}

TEST(Comparison, compares_boots_of_the_same_seed) {
  const Row row =
      row_of("luf", kRatio, {counted(10, 100), counted(30, 100)}, {counted(100, 100), counted(50, 100)});
  ASSERT_EQ(row.changes.size(), 2U);
  EXPECT_DOUBLE_EQ(row.changes[0], -90);
  EXPECT_DOUBLE_EQ(row.changes[1], -40);
  EXPECT_DOUBLE_EQ(row.change(), -65);
}

TEST(Comparison, prints_spread_change_flushes_and_pending) {
  const std::vector<report::Summary> before{counted(100, 100)};
  const std::vector<report::Summary> after{counted(10, 100)};
  EXPECT_EQ(
      to_table("T", {row_of("batching", kRatio, before, {}), row_of("luf", kRatio, after, before)}),
      "T\n"
      "arm        n       min    median       max  change, %    median       max  pending  flushes by cause\n"
      "batching   1         1         1         1          -         -         -       64  age 50\n"
      "luf        1       0.1       0.1       0.1     -90.00    -90.00    -90.00       64  age 5\n");
}

}  // namespace
}  // namespace luf::run
