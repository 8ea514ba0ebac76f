#include "report/timeline.h"

#include <gtest/gtest.h>

namespace luf::report {
namespace {

guest::Event event(std::uint64_t seconds, nlohmann::json body) {
  guest::Event result;
  result.t_ns = seconds * 1'000'000'000;
  result.name = body.at("ev");
  result.body = std::move(body);
  return result;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(Timeline, has_a_bar_for_each_part_and_a_dot_for_each_finding) {
  const std::string text =
      timeline({event(1, {{"ev", "phase_start"}, {"phase", "a<b"}}),
                event(2, {{"ev", "part_start"}, {"phase", "a<b"}, {"part", "reclaim"}}),
                event(2, {{"ev", "part_start"}, {"phase", "a<b"}, {"part", "write_under"}}),
                event(7, {{"ev", "finding"},
                          {"part", "write_under"},
                          {"rule", "R3"},
                          {"detail", "old \"byte\""},
                          {"at_ns", 6'500'000'000}}),
                event(8, {{"ev", "part_end"}, {"part", "reclaim"}}),
                event(10, {{"ev", "phase_end"}, {"phase", "a<b"}})});
  EXPECT_EQ(count(text, "<rect "), 2U);
  EXPECT_EQ(count(text, "<circle "), 1U);
  EXPECT_NE(text.find("6.500 s: R3 old &quot;byte&quot;"), std::string::npos) << text;
  EXPECT_NE(text.find("a&lt;b</text>"), std::string::npos) << text;
  // From 2 s to 8 s of 10 s, in a width of 600.
  EXPECT_NE(text.find("x=\"270.0\" y=\"23\" width=\"360.0\""), std::string::npos) << text;
}

TEST(Timeline, shows_a_phase_that_did_not_end_and_findings_of_the_agent) {
  const std::string text = timeline({event(1, {{"ev", "phase_start"}, {"phase", "main"}}),
                                     event(4, {{"ev", "finding"}, {"part", "agent"}, {"rule", "R12"}})});
  EXPECT_NE(text.find("main (did not end)"), std::string::npos) << text;
  EXPECT_NE(text.find(">agent</text>"), std::string::npos) << text;
  EXPECT_EQ(count(text, "<circle "), 1U);
}

TEST(Timeline, is_empty_where_no_phase_began) { EXPECT_EQ(timeline({event(1, {{"ev", "boot"}})}), ""); }

}  // namespace
}  // namespace luf::report
