#include "scenario/plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scenario/parse.h"
#include "support/catalog.h"

namespace luf::scenario {
namespace {

nlohmann::json plan_of(const std::string& kernel) {
  const std::string text =
      "title = \"t\"\nseed = 7\n[kernel]\n" + kernel +
      "[[phase]]\nname = \"control\"\nduration = \"1500ms\"\n"
      "[[phase]]\nname = \"fault\"\nduration = \"3s\"\npoints_off = [\"full\", \"unmap\"]\nexpect = \"R8\"\n"
      "[[workload]]\nname = \"churn\"\nperiod = \"250us\"\n[[injector]]\nname = \"reclaim\"\n"
      "[[detector]]\nname = \"foreign_content\"\n";
  const Result<Scenario> scenario = parse(text, "x.toml", luf::testing::test_catalog());
  EXPECT_TRUE(scenario) << scenario.error().message;
  return nlohmann::json::parse(make_plan(*scenario, "a/b"));
}

TEST(Plan, carries_what_the_protocol_asks_for) {
  const nlohmann::json plan = plan_of("luf = \"on\"\n");
  EXPECT_EQ(plan["version"], 1);
  EXPECT_EQ(plan["scenario"], "a/b");
  EXPECT_EQ(plan["seed"], 7);
  EXPECT_EQ(plan["exact_time"], false);
  const nlohmann::json& phase = plan["phases"][0];
  EXPECT_EQ(phase["duration_ms"], 1500);
  EXPECT_EQ(phase["stop"], "duration");
  EXPECT_EQ(phase["needs"], nlohmann::json::array({"luf"}));
  EXPECT_EQ(phase["parts"][0], nlohmann::json::parse(R"({"id":"churn","kind":"workload","name":"churn",
    "params":{"amount":4096,"period":250000}})"));
  EXPECT_EQ(phase["parts"][1]["params"]["via"], "memcg");
}

TEST(Plan, a_fault_is_planted_in_its_phase_and_taken_out_in_the_others) {
  const std::string text =
      "title = \"t\"\nseed = 4294967303\n[[phase]]\nname = \"a\"\nduration = \"1s\"\n"
      "faults = { cpu_mask = 40 }\ndelays = { fork = \"200us\" }\n"
      "[[phase]]\nname = \"b\"\nduration = \"1s\"\n";
  const Result<Scenario> scenario = parse(text, "x.toml", luf::testing::test_catalog());
  ASSERT_TRUE(scenario) << scenario.error().message;
  const nlohmann::json plan = nlohmann::json::parse(make_plan(*scenario, "a/b"));
  const auto value = [&plan](int phase, const std::string& path) {
    std::string found = "not set";
    for (const nlohmann::json& setting : plan["phases"][phase]["settings"])
      if (setting["path"] == path) found = setting["value"];
    return found;
  };
  EXPECT_EQ(plan["phases"][0]["needs"], nlohmann::json::array({"luf"}));
  EXPECT_EQ(value(0, "/sys/kernel/debug/luf/fault/seed"), "7");
  EXPECT_EQ(value(0, "/sys/kernel/debug/luf/fault/cpu_mask/probability"), "40");
  EXPECT_EQ(value(0, "/sys/kernel/debug/luf/delay/fork/us"), "200");
  EXPECT_EQ(value(0, "/sys/kernel/debug/luf/delay/fork/probability"), "100");
  EXPECT_EQ(value(1, "/sys/kernel/debug/luf/fault/cpu_mask/probability"), "0");
  EXPECT_EQ(value(1, "/sys/kernel/debug/luf/delay/fork/probability"), "0");
}

TEST(Plan, a_whole_phase_lasts_whatever_is_found) {
  const std::string text =
      "title = \"t\"\n[[phase]]\nname = \"a\"\nduration = \"1s\"\nexpect = \"R8\"\nwhole = true\n"
      "[[phase]]\nname = \"b\"\nduration = \"1s\"\nwhole = false\n"
      "[[detector]]\nname = \"foreign_content\"\n";
  const Result<Scenario> scenario = parse(text, "x.toml", luf::testing::test_catalog());
  ASSERT_TRUE(scenario) << scenario.error().message;
  const nlohmann::json plan = nlohmann::json::parse(make_plan(*scenario, "a/b"));
  EXPECT_EQ(plan["phases"][0]["stop"], "duration");
  EXPECT_EQ(plan["phases"][1]["stop"], "finding");
}

TEST(Plan, draws_the_windows_from_the_seed) {
  const auto settings = [](std::int64_t seed) {
    const std::string text =
        "title = \"t\"\n[schedule]\nstrategy = \"windows\"\n[[phase]]\nname = \"p\"\n"
        "duration = \"1s\"\n[[detector]]\nname = \"foreign_content\"\n";
    Result<Scenario> scenario = parse(text, "x.toml", luf::testing::test_catalog());
    EXPECT_TRUE(scenario) << scenario.error().message;
    scenario->seed = seed;
    return nlohmann::json::parse(make_plan(*scenario, "a/b"))["phases"][0].dump();
  };
  EXPECT_EQ(settings(7), settings(7));
  EXPECT_NE(settings(7), settings(8));
  EXPECT_NE(settings(7).find("/sys/kernel/debug/luf/delay/set/us"), std::string::npos);
  EXPECT_NE(settings(7).find("\"needs\":[\"luf\"]"), std::string::npos);
}

TEST(Plan, a_deterministic_guest_ends_itself) {
  EXPECT_EQ(plan_of("luf = \"on\"\n")["end"], "wait");
  EXPECT_EQ(plan_of("luf = \"on\"\n[machine]\nicount = 4\n")["end"], "reset");
}

TEST(Plan, switches_further_points_on) {
  const std::string settings = plan_of("points_on = [\"fault_tail\"]\n")["phases"][0]["settings"].dump();
  EXPECT_NE(settings.find("strict +fault_tail"), std::string::npos);
}

TEST(Plan, every_phase_sets_its_own_points) {
  const nlohmann::json plan = plan_of("luf = \"on\"\n");
  const nlohmann::json control = nlohmann::json::parse(
      R"([{"path":"/sys/kernel/mm/luf/enabled","value":"1"},{"path":"/sys/kernel/mm/luf/points","value":"strict"}])");
  EXPECT_EQ(plan["phases"][0]["settings"], control);
  EXPECT_EQ(plan["phases"][1]["settings"][1]["value"], "strict -full -unmap");
  EXPECT_EQ(plan["phases"][1]["stop"], "finding");
}

TEST(Plan, hands_a_set_of_points_and_batching_over) {
  const nlohmann::json settings =
      plan_of("points = \"mm-lock\"\nbatching = false\n")["phases"][1]["settings"];
  EXPECT_EQ(settings, nlohmann::json::parse(R"([
    {"path":"/sys/kernel/mm/luf/points","value":"mm-lock -full -unmap"},
    {"path":"/sys/kernel/mm/luf/batching","value":"0"}])"));
}

TEST(Plan, luf_off_holds_by_itself_without_the_series) {
  const nlohmann::json phase = plan_of("luf = \"off\"\n")["phases"][0];
  EXPECT_TRUE(phase["needs"].empty());
  for (const nlohmann::json& setting : phase["settings"])
    EXPECT_TRUE(setting.value("optional", false)) << setting;
}

TEST(Plan, bounds_are_handed_over_in_the_kernels_units) {
  const nlohmann::json phase = plan_of("age = \"1500us\"\npending_max = 64\n")["phases"][0];
  EXPECT_EQ(phase["settings"][1],
            nlohmann::json::parse(R"({"path":"/sys/kernel/mm/luf/age_ms","value":"2"})"));
  EXPECT_EQ(phase["settings"][2],
            nlohmann::json::parse(R"({"path":"/sys/kernel/mm/luf/pending_max","value":"64"})"));
}

}  // namespace
}  // namespace luf::scenario
