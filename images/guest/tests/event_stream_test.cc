#include "agent/event_stream.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

namespace luf::guest {
namespace {

TEST(Event, is_one_line_that_begins_with_its_number_time_and_name) {
  EXPECT_EQ(format_event(3, 42, "skip", Json{{"phase", "main"}, {"reason", "a \"b\"\n"}}),
            "{\"seq\":3,\"t_ns\":42,\"ev\":\"skip\",\"phase\":\"main\",\"reason\":\"a \\\"b\\\"\\n\"}\n");
}

TEST(Event, with_bytes_that_are_no_utf8_is_still_valid_json) {
  const std::string line = format_event(0, 0, "error", Json{{"message", "\xff\xfe"}});
  EXPECT_FALSE(Json::parse(line, nullptr, false).is_discarded());
}

TEST(EventStream, numbers_events_without_a_gap) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  EventStream events(ends[1]);
  events.emit_text("{\"seq\":0}\n");
  events.emit("ready");
  events.emit("done", Json{{"phases", 1}});
  close(ends[1]);
  std::array<char, 4096> buffer{};
  const ssize_t got = read(ends[0], buffer.data(), buffer.size());
  close(ends[0]);
  ASSERT_GT(got, 0);
  std::string text(buffer.data(), static_cast<std::size_t>(got));
  for (std::uint64_t seq = 0; seq < 3; ++seq) {
    const std::size_t end = text.find('\n');
    ASSERT_NE(end, std::string::npos);
    EXPECT_EQ(Json::parse(text.substr(0, end)).at("seq"), seq);
    text.erase(0, end + 1);
  }
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace luf::guest
