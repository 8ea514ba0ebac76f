#include <gtest/gtest.h>

#include "inject/injector.h"
#include "scenario/parse.h"
#include "scenario/plan.h"
#include "scenario/trigger.h"
#include "support/catalog.h"

namespace luf::inject {
namespace {

scenario::Catalog catalog() {
  scenario::Catalog catalog = luf::testing::test_catalog();
  add_to(catalog);
  return catalog;
}

const std::string kText =
    "title = \"t\"\n[[phase]]\nname = \"main\"\nduration = \"8s\"\n"
    "[[injector]]\nname = \"machine_stop\"\nlength = \"1s\"\n";

TEST(Injectors, are_named_like_those_of_the_guest) {
  const Result<scenario::Scenario> scenario = scenario::parse(kText, "x.toml", catalog());
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_TRUE(scenario->parts.front().on_host);
  EXPECT_EQ(std::get<std::int64_t>(scenario->parts.front().params.at("length")), 1'000'000'000);
}

TEST(Injectors, of_the_host_are_not_in_the_guests_plan) {
  const Result<scenario::Scenario> scenario = scenario::parse(kText, "x.toml", catalog());
  ASSERT_TRUE(scenario);
  EXPECT_EQ(scenario::make_plan(*scenario, "x").find("machine_stop"), std::string::npos);
}

TEST(Injectors, of_the_host_are_refused_where_time_counts_instructions) {
  const std::string text = kText + "[machine]\nicount = 4\n";
  const Result<scenario::Scenario> scenario = scenario::parse(text, "x.toml", catalog());
  ASSERT_FALSE(scenario);
  EXPECT_TRUE(scenario.error().message.starts_with("x.toml:6: the host's injector \"machine_stop\" makes"))
      << scenario.error().message;
}

TEST(Injectors, of_the_host_begin_with_the_phase_if_nothing_else_is_said) {
  const Result<scenario::Scenario> scenario = scenario::parse(kText, "x.toml", catalog());
  ASSERT_TRUE(scenario);
  EXPECT_EQ(scenario::trigger_of(scenario->parts.front()).text(), "phase_start");
}

/// Empty: it is valid.
std::string error_of(const std::string& text) {
  const Result<scenario::Scenario> scenario = scenario::parse(text, "x.toml", catalog());
  return scenario ? "" : scenario.error().message;
}

/// What is wrong with that line in an injector of a scenario that also has a part of each other kind.
std::string defect(const std::string& line) {
  const std::string text = kText + line + "\n[[injector]]\nname = \"nmi\"\n[[workload]]\nname = \"churn\"\n" +
                           "[[detector]]\nname = \"foreign_content\"\n";
  return error_of(text);
}

TEST(Injectors, of_the_host_may_wait_for_an_event) {
  for (const char* good : {"phase_start", "progress", "part_start", "part_start churn", "finding", "effect",
                           "finding foreign_content", "effect nmi"})
    EXPECT_EQ(defect("on = \"" + std::string(good) + "\""), "");
}

TEST(Injectors, of_the_host_cannot_wait_for_what_never_comes) {
  const std::string what = "x.toml:8: \"injector.on\": ";
  EXPECT_EQ(defect("on = 5"), "x.toml:8: \"injector.on\" must be a text in quotes");
  EXPECT_EQ(defect("on = \"findign\""),
            what +
                "unknown event \"findign\" (did you mean \"finding\"?); use one of "
                "phase_start, part_start, progress, finding, effect");
  EXPECT_EQ(defect("on = \"finding churn\""),
            what + "the part \"churn\" has no event \"finding\"; use one of foreign_content");
  EXPECT_EQ(defect("on = \"finding nobody\""),
            what + "the part \"nobody\" has no event \"finding\"; use one of foreign_content");
  EXPECT_EQ(defect("on = \"effect reclaim\"\n[[injector]]\nname = \"reclaim\""),
            what + "the part \"reclaim\" has no event \"effect\"; use one of nmi");
  EXPECT_EQ(defect("on = \"part_start nmi\""),
            what + "the part \"nmi\" has no event \"part_start\"; use one of churn, foreign_content");
  EXPECT_EQ(defect("on = \"effect machine_stop\""), what + "it cannot wait for itself; use one of nmi");
  EXPECT_EQ(defect("on = \"progress churn\""),
            what + "\"progress\" is no event of a part; leave out \"churn\"");
  for (const std::string event : {"effect", "part_start"})
    EXPECT_EQ(error_of(kText + "on = \"" + event + "\"\n"),
              what + "no other part has an event \"" + event + "\"; use another event");
}

/// A further injector of the host.
std::string nmi(const std::string& id, const std::string& on) {
  return "[[injector]]\nname = \"nmi\"\nid = \"" + id + "\"\non = \"" + on + "\"\n";
}

TEST(Injectors, of_the_host_cannot_wait_for_each_others_effects) {
  const auto each_of = [](const std::string& ids) {
    return "x.toml:8: \"injector.on\": each of " + ids +
           " waits for an effect of another of them, so none begins; let one begin on \"phase_start\"";
  };
  const auto stop_on = [](const std::string& on) { return kText + "on = \"" + on + "\"\n"; };
  EXPECT_EQ(error_of(stop_on("effect b") + nmi("b", "effect machine_stop")), each_of("machine_stop, b"));
  EXPECT_EQ(error_of(stop_on("effect b") + nmi("b", "effect c") + nmi("c", "effect machine_stop")),
            each_of("machine_stop, b, c"));
  EXPECT_EQ(error_of(stop_on("effect") + nmi("b", "effect")), each_of("machine_stop, b"));
  // One that somebody else sets off is none of them, and may set off another.
  EXPECT_EQ(error_of(stop_on("effect b") + nmi("b", "effect machine_stop") + nmi("c", "progress")),
            each_of("machine_stop, b"));
  EXPECT_EQ(error_of(stop_on("effect b") + nmi("b", "effect c") + nmi("c", "progress")), "");
  EXPECT_EQ(error_of(stop_on("effect") + nmi("b", "effect") + nmi("c", "progress")), "");
}

TEST(Injectors, are_found_by_name) {
  for (const Injector* injector : injectors()) EXPECT_EQ(find(injector->name), injector);
  EXPECT_EQ(find("nonsense"), nullptr);
}

}  // namespace
}  // namespace luf::inject
