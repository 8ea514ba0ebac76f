#include <gtest/gtest.h>

#include "inject/injector.h"
#include "scenario/parse.h"
#include "scenario/plan.h"
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

TEST(Injectors, are_found_by_name) {
  for (const Injector* injector : injectors()) EXPECT_EQ(find(injector->name), injector);
  EXPECT_EQ(find("nonsense"), nullptr);
}

}  // namespace
}  // namespace luf::inject
