#include "scenario/parse.h"

#include <gtest/gtest.h>

#include "support/catalog.h"

namespace luf::scenario {
namespace {

using luf::testing::test_catalog;

constexpr const char* kGood = R"(title = "t"
[[phase]]
name = "main"
duration = "8s"
[[detector]]
name = "foreign_content"
)";

std::string error_of(const std::string& text) {
  const Result<Scenario> scenario = parse(text, "x.toml", test_catalog());
  return scenario ? "no error" : scenario.error().message;
}

TEST(Parse, fills_in_every_default) {
  const Result<Scenario> scenario = parse(kGood, "x.toml", test_catalog());
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->machine.cpus, 4);
  EXPECT_EQ(scenario->kernel.luf, "as-is");
  EXPECT_EQ(scenario->phases.at(0).expect, "silent");
  EXPECT_EQ(scenario->parts.at(0).id, "foreign_content");
  EXPECT_EQ(std::get<std::int64_t>(scenario->parts.at(0).params.at("pages")), 48);
}

TEST(Parse, a_phase_has_the_points_of_the_kernel_unless_it_names_its_own) {
  const std::string text =
      std::string(kGood) +
      "[kernel]\npoints_off = [\"unmap\"]\n[[phase]]\nname = \"b\"\nduration = \"1s\"\npoints_off = []\n";
  const Result<Scenario> scenario = parse(text, "x.toml", test_catalog());
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->phases.at(0).points_off, std::vector<std::string>{"unmap"});
  EXPECT_TRUE(scenario->phases.at(1).points_off.empty());
}

struct Defect {
  const char* added;
  const char* message;
};

TEST(Parse, every_defect_names_file_line_and_remedy) {
  const Defect defects[] = {
      {"pagse = 3\n",
       "x.toml:7: unknown key \"detector.pagse\" (did you mean \"pages\"?); remove it or use one of id, "
       "name, pages"},
      {"pages = 0\n", "x.toml:7: \"detector.pages\" is 0; it must be 1 to 4096"},
      {"pages = \"3\"\n", "x.toml:7: \"detector.pages\" must be a whole number without quotes"},
      {"[[detector]]\nname = \"foreign_contents\"\n",
       "x.toml:8: unknown detector \"foreign_contents\" (did you mean \"foreign_content\"?); `lufbed list "
       "parts` shows all"},
      {"[[detector]]\nname = \"foreign_content\"\n",
       "x.toml:7: the id \"foreign_content\" is used twice; give one of the parts another id"},
      {"[[workload]]\nname = \"churn\"\nperiod = \"30\"\n",
       "x.toml:9: \"workload.period\": \"30\" has no unit; append one of ns, us, ms, s, min"},
      {"[[workload]]\nname = \"churn\"\namount = 4096\n",
       "x.toml:9: \"workload.amount\" must be a size with its unit in quotes, e.g. \"4KiB\""},
      {"[[workload]]\nname = \"churn\"\namount = \"4KB\"\n",
       "x.toml:9: \"workload.amount\": \"4KB\" has the unknown unit \"KB\"; use one of B, KiB, MiB, GiB"},
      {"[kernel]\npoints_off = [\"unamp\"]\n",
       "x.toml:8: \"kernel.points_off\": unknown name \"unamp\" (did you mean \"unmap\"?); use full, age, "
       "drain, "
       "kept, unmap, protect, mkwrite, alias_write, file_write, async_write, truncate, invalidate, refetch, "
       "uffd, "
       "fault_race, "
       "write_begin, fault_tail, mkclean, switch, mmap_lock, vma_lock, fault"},
      {"[kernel]\npoints = \"stirct\"\n",
       "x.toml:8: \"kernel.points\" is \"stirct\"; use one of reuse-only, strict, v11, v12, mm-lock"},
      {"[kernel]\nbatching = 0\n", "x.toml:8: \"kernel.batching\" must be true or false, without quotes"},
      {"[machine]\nicount = 8\n", "x.toml:8: \"machine.icount\" is 8; it must be 0 to 7"},
      {"[machine]\naccel = \"kvm\"\nicount = 0\n",
       "x.toml:9: \"machine.icount\" needs emulation; set \"machine.accel\" to tcg"},
      {"[machine]\ncpus = 64\n", "x.toml:8: \"machine.cpus\" is 64; it must be 1 to 16"},
      {"[machine]\nmemory = \"16MiB\"\n", "x.toml:8: \"machine.memory\" is 16MiB; it must be 128MiB to 2GiB"},
      {"[machine]\naccel = \"xen\"\n", "x.toml:8: \"machine.accel\" is \"xen\"; use one of auto, tcg, kvm"},
      {"[[phase]]\nname = \"b\"\n", "x.toml:7: \"phase.duration\" is missing; add e.g. duration = \"30s\""},
      {"[[phase]]\nname = \"main\"\nduration = \"1s\"\n",
       "x.toml:7: two phases have the name \"main\"; rename one"},
      {"[[phase]]\nname = \"b\"\nduration = \"1s\"\nexpect = \"R3\"\n",
       "x.toml:10: no detector of this scenario can find \"R3\"; add one (`lufbed list parts`) or expect "
       "\"silent\""},
  };
  for (const Defect& defect : defects) EXPECT_EQ(error_of(std::string(kGood) + defect.added), defect.message);
}

TEST(Parse, broken_toml_names_its_line) {
  EXPECT_TRUE(error_of("title = \"t\"\nx =\n").starts_with("x.toml:2: "));
}

TEST(Parse, tells_all_defects_at_once) {
  const std::string text = error_of("seed = -1\nfoo = 2\n");
  EXPECT_NE(text.find("\"title\" is missing"), std::string::npos);
  EXPECT_NE(text.find("x.toml:1: \"seed\" is -1"), std::string::npos);
  EXPECT_NE(text.find("no phase"), std::string::npos);
  EXPECT_NE(text.find("x.toml:2: unknown key \"foo\""), std::string::npos);
}

TEST(ToToml, is_read_back_to_the_same) {
  const std::string text =
      std::string(kGood) +
      "id = \"a\"\n[machine]\nicount = 3\n[kernel]\npoints = \"v12\"\nbatching = "
      "true\nage = \"20ms\"\nluf = \"on\"\n[[injector]]\nname = "
      "\"reclaim\"\nvia = \"pageout\"\n[[phase]]\nname = \"w\"\nduration = \"1s\"\nwhole = "
      "true\n";
  const Scenario scenario = *parse(text, "x.toml", test_catalog());
  const std::string written = to_toml(scenario, test_catalog());
  const Result<Scenario> again = parse(written, "x.toml", test_catalog());
  ASSERT_TRUE(again) << again.error().message << written;
  EXPECT_EQ(to_toml(*again, test_catalog()), written);
  EXPECT_EQ(again->phases.back().whole, true);
}

}  // namespace
}  // namespace luf::scenario
