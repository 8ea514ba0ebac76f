#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "guest/event.h"
#include "guest/plan_device.h"
#include "protocol/plan_device.h"
#include "support/temp_directory.h"

namespace luf::guest {
namespace {

constexpr const char* kTwo =
    "{\"seq\":0,\"t_ns\":5,\"ev\":\"boot\"}\n{\"seq\":1,\"t_ns\":9,\"ev\":\"done\",\"phases\":2}\r\n";

TEST(EventParser, reads_lines_however_they_are_cut) {
  EventParser parser;
  std::vector<Event> events;
  for (const char* at = kTwo; *at != '\0'; ++at) {
    for (Event& event : parser.feed(std::string_view(at, 1))) events.push_back(std::move(event));
  }
  parser.finish();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].t_ns, 5U);
  EXPECT_EQ(events[1].number("phases"), 2U);
  EXPECT_EQ(events[1].text("phases"), "");
  EXPECT_FALSE(parser.damage());
}

TEST(EventParser, notices_a_gap) {
  EventParser parser;
  EXPECT_EQ(parser.feed("{\"seq\":0,\"ev\":\"boot\"}\n{\"seq\":2,\"ev\":\"done\"}\n").size(), 1U);
  EXPECT_EQ(parser.damage(), "event 2 came where event 1 was due");
}

TEST(EventParser, notices_a_torn_line) {
  EventParser parser;
  EXPECT_TRUE(parser.feed("{\"seq\":0,\"ev\":\"bo{\"seq\":1}\n").empty());
  EXPECT_TRUE(parser.damage());
}

TEST(EventParser, a_line_without_end_is_torn_only_when_nothing_more_comes) {
  EventParser parser;
  EXPECT_TRUE(parser.feed("{\"seq\":0,").empty());
  EXPECT_FALSE(parser.damage());
  parser.finish();
  EXPECT_TRUE(parser.damage());
}

TEST(PlanDevice, holds_header_and_plan) {
  const luf::testing::TempDirectory directory;
  ASSERT_TRUE(write_plan_device(directory / "plan", "{}"));
  const std::string area = *read_file(directory / "plan");
  ASSERT_EQ(area.size(), protocol::kPlanDeviceSize);
  protocol::PlanHeader header{};
  std::memcpy(&header, area.data(), sizeof(header));
  EXPECT_EQ(std::memcmp(header.magic, "LUFPLAN1", 8), 0);
  EXPECT_EQ(header.length, 2U);
  EXPECT_EQ(header.crc32, protocol::crc32(std::as_bytes(std::span("{}", 2))));
  EXPECT_EQ(area.substr(sizeof(header), 2), "{}");
}

TEST(PlanDevice, checksum_is_the_one_of_zlib) {
  EXPECT_EQ(protocol::crc32(std::as_bytes(std::span("123456789", 9))), 0xcbf43926U);
}

TEST(PlanDevice, refuses_a_plan_that_does_not_fit) {
  const luf::testing::TempDirectory directory;
  EXPECT_FALSE(write_plan_device(directory / "plan", std::string(protocol::kPlanDeviceSize, ' ')));
}

}  // namespace
}  // namespace luf::guest
