#include "agent/plan.h"

#include <gtest/gtest.h>

#include <cstring>

#include "protocol/plan_device.h"

namespace luf::guest {
namespace {

constexpr std::string_view kPlanText = R"({"version":1,"scenario":"smoke/x","seed":7,"phases":[
  {"name":"main","duration_ms":8000,"stop":"finding","needs":["luf"],
   "settings":[{"path":"/sys/a","value":"1"},{"path":"/sys/b","value":"0","optional":true}],
   "parts":[{"id":"r","kind":"injector","name":"reclaim","params":{"period":5000000,"via":"memcg"}}]}]})";

std::vector<std::byte> device_with(std::string_view text) {
  std::vector<std::byte> device(protocol::kPlanDeviceSize);
  protocol::PlanHeader header{};
  std::memcpy(header.magic, protocol::kPlanMagic, sizeof(header.magic));
  header.length = static_cast<std::uint32_t>(text.size());
  header.crc32 = protocol::crc32(std::as_bytes(std::span(text)));
  std::memcpy(device.data(), &header, sizeof(header));
  std::memcpy(device.data() + sizeof(header), text.data(), text.size());
  return device;
}

TEST(Plan, is_read_whole) {
  Plan plan;
  ASSERT_EQ(parse_plan(kPlanText, plan), "");
  EXPECT_EQ(plan.scenario, "smoke/x");
  EXPECT_EQ(plan.seed, 7U);
  ASSERT_EQ(plan.phases.size(), 1U);
  const Phase& phase = plan.phases[0];
  EXPECT_EQ(phase.duration_ms, 8000U);
  EXPECT_TRUE(phase.stop_at_finding);
  EXPECT_TRUE(phase.needs_luf);
  EXPECT_EQ(phase.settings.at(0).path, "/sys/a");
  EXPECT_FALSE(phase.settings.at(0).optional);
  EXPECT_TRUE(phase.settings.at(1).optional);
  ASSERT_EQ(phase.parts.size(), 1U);
  EXPECT_EQ(phase.parts[0].params.numbers.at("period"), 5000000U);
  EXPECT_EQ(phase.parts[0].params.texts.at("via"), "memcg");
}

struct BadPlan {
  const char* text;
  const char* problem;
};

class PlanRefusal : public testing::TestWithParam<BadPlan> {};

TEST_P(PlanRefusal, says_what_is_wrong) {
  Plan plan;
  EXPECT_NE(parse_plan(GetParam().text, plan).find(GetParam().problem), std::string::npos)
      << parse_plan(GetParam().text, plan);
  EXPECT_TRUE(plan.phases.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Cases, PlanRefusal,
    testing::Values(
        BadPlan{"{", "parse error"}, BadPlan{R"({"version":2})", "version 2"},
        BadPlan{R"({"version":1})", "scenario"},
        BadPlan{R"({"version":1,"scenario":"s","phases":[{"name":"p"}]})", "duration_ms"},
        BadPlan{R"({"version":1,"scenario":"s","phases":[{"name":"p","duration_ms":1,"stop":"x"}]})",
                "unknown stop"},
        BadPlan{R"({"version":1,"scenario":"s","phases":[{"name":"p","duration_ms":1,"needs":["x"]}]})",
                "unknown need"},
        BadPlan{R"({"version":1,"scenario":"s","phases":[{"name":"p","duration_ms":1,"parts":[
            {"id":"a","kind":"k","name":"n"},{"id":"a","kind":"k","name":"n"}]}]})",
                "stands twice"},
        BadPlan{R"({"version":1,"scenario":"s","phases":[{"name":"p","duration_ms":1,"parts":[
            {"id":"a/b","kind":"k","name":"n"}]}]})",
                "file name"},
        BadPlan{R"({"version":1,"scenario":"s","phases":[{"name":"p","duration_ms":1,"parts":[
            {"id":"a","kind":"k","name":"n","params":{"x":1.5}}]}]})",
                "neither an integer nor a string"}));

TEST(PlanDevice, without_the_magic_holds_no_plan) {
  std::vector<std::byte> device(protocol::kPlanDeviceSize);
  std::string text;
  std::string problem;
  EXPECT_EQ(read_plan_device(device, text, problem), PlanState::absent);
  EXPECT_EQ(problem, "");
}

TEST(PlanDevice, may_ask_the_guest_to_become_a_template) {
  std::vector<std::byte> device(protocol::kPlanDeviceSize);
  std::memcpy(device.data(), protocol::kTemplateMagic, sizeof(protocol::kTemplateMagic));
  std::string text;
  std::string problem;
  EXPECT_EQ(read_plan_device(device, text, problem), PlanState::be_template);
}

TEST(PlanDevice, gives_the_bytes_that_the_host_has_put_there) {
  std::string text;
  std::string problem;
  ASSERT_EQ(read_plan_device(device_with(kPlanText), text, problem), PlanState::present) << problem;
  EXPECT_EQ(text, kPlanText);
}

TEST(PlanDevice, with_a_changed_byte_is_damaged) {
  auto device = device_with(kPlanText);
  device[20] ^= std::byte{1};
  std::string text;
  std::string problem;
  EXPECT_EQ(read_plan_device(device, text, problem), PlanState::damaged);
  EXPECT_NE(problem.find("CRC-32"), std::string::npos);
}

TEST(PlanDevice, with_a_length_beyond_its_end_is_damaged) {
  auto device = device_with(kPlanText);
  const std::uint32_t length = protocol::kPlanDeviceSize;
  std::memcpy(device.data() + 8, &length, sizeof(length));
  std::string text;
  std::string problem;
  EXPECT_EQ(read_plan_device(device, text, problem), PlanState::damaged);
  EXPECT_NE(problem.find("length"), std::string::npos);
}

}  // namespace
}  // namespace luf::guest
