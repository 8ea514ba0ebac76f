#include <gtest/gtest.h>

#include "protocol/litmus_order.h"
#include "protocol/litmus_parse.h"

namespace luf::protocol {
namespace {

LitmusProgram parsed(std::string_view text) {
  LitmusProgram program;
  EXPECT_EQ(parse_litmus(text, program), "");
  return program;
}

std::string problem_of(std::string_view text) {
  LitmusProgram program;
  return parse_litmus(text, program);
}

TEST(LitmusProgram, knows_every_step) {
  const LitmusProgram program = parsed(
      "P0: await f; await y; a = x; b = g\n"
      "P1: reclaim; migrate x; x = 3; write y 4; copy x 5; f = 1\n\n"
      "P2: unmap x; forbid x; truncate z\n"
      "P3: drop x; move y; c = poke x 7; sync x; d = disk x; pause 50");
  ASSERT_EQ(program.processors.size(), 4U);
  const std::vector<LitmusAct> first{LitmusAct::await, LitmusAct::await_page, LitmusAct::load,
                                     LitmusAct::load_flag};
  const std::vector<LitmusAct> second{LitmusAct::reclaim, LitmusAct::migrate, LitmusAct::store,
                                      LitmusAct::write,   LitmusAct::copy,    LitmusAct::store_flag};
  const std::vector<LitmusAct> third{LitmusAct::unmap, LitmusAct::forbid, LitmusAct::truncate};
  const std::vector<LitmusAct> fourth{LitmusAct::drop, LitmusAct::move, LitmusAct::poke,
                                      LitmusAct::sync, LitmusAct::disk, LitmusAct::pause};
  const std::vector<std::vector<LitmusAct>> wanted{first, second, third, fourth};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::vector<LitmusAct> acts;
    for (const LitmusStep& step : program.processors[i]) acts.push_back(step.act);
    EXPECT_EQ(acts, wanted[i]) << "P" << i;
  }
  EXPECT_EQ(program.processors[1][3].page, 1U);
  EXPECT_EQ(program.processors[1][3].value, 4U);
  EXPECT_EQ(program.processors[3][2].value, 7U);
  EXPECT_EQ(program.processors[3][4].into, 3U);
  EXPECT_EQ(program.processors[3][5].value, 50U);
  EXPECT_EQ(program.registers, (std::vector<bool>{true, true, true, true, false}));
  EXPECT_EQ(program.pages, 3U);
  EXPECT_EQ(program.unmaps, 2U);
  EXPECT_EQ(program.changed, (std::vector<bool>{true, true, true}));
}

TEST(LitmusProgram, says_what_it_does_not_understand) {
  EXPECT_NE(problem_of("P0: a = x\nP1: jump x").find("\" jump x\" of P1: is no step"), std::string::npos);
  EXPECT_NE(problem_of("P0: a = x\nP2: f = 1").find("must begin with P1:"), std::string::npos);
  EXPECT_NE(problem_of("P0: a = x").find("two to four"), std::string::npos);
  EXPECT_NE(problem_of("P0: a = f\nP1: f = 1").find("no step names a page"), std::string::npos);
  EXPECT_NE(problem_of("P0: x = y\nP1: f = 1").find("is no step"), std::string::npos);
  for (const char* step :
       {"write x", "poke x 1", "disk x", "a = drop x", "a = poke x", "f = disk x", "pause"})
    EXPECT_NE(problem_of("P0: " + std::string(step) + "\nP1: f = 1").find("is no step"), std::string::npos)
        << step;
}

TEST(LitmusProgram, prints_only_registers_that_are_loaded_into) {
  const LitmusProgram program = parsed("P0: a = x; c = y\nP1: x = 1");
  EXPECT_EQ(litmus_outcome(program, {1, 9, kLitmusFault, 0, 0, 0}), "a=1 c=F");
  EXPECT_EQ(litmus_outcome(program, {kLitmusForeign, 9, kLitmusZeros, 0, 0, 0}), "a=X c=Z");
}

TEST(LitmusProgram, an_outcome_matches_when_all_words_of_one_alternative_are_there) {
  EXPECT_TRUE(litmus_matches("a=1 b=0", "a=1 b=0"));
  EXPECT_FALSE(litmus_matches("a=1 b=0", "a=1 b=1"));
  EXPECT_TRUE(litmus_matches("a=2 | b=1", "a=1 b=1"));
  EXPECT_TRUE(litmus_matches("b=1", "a=1 b=1"));
  EXPECT_FALSE(litmus_matches("", "a=1"));
  EXPECT_FALSE(litmus_matches("a=1", "a=10"));
}

using Places = std::set<LitmusPlace>;

TEST(LitmusOrder, a_flag_tells_of_what_came_before_it_and_of_what_that_had_learnt) {
  const LitmusProgram relay = parsed(
      "P0: await g; a = x\n"
      "P1: migrate x; x = 1; f = 1; x = 2\n"
      "P2: await f; g = 1");
  EXPECT_EQ(litmus_over(relay, {0, 1}), (Places{{0, 0}, {1, 0}, {1, 1}, {2, 0}}));
  EXPECT_EQ(litmus_over(relay, {0, 0}), Places{});
}

TEST(LitmusOrder, a_page_tells_as_a_flag_does_when_one_step_alone_changes_it) {
  EXPECT_EQ(litmus_over(parsed("P0: await y; a = x\nP1: x = 1; y = 1"), {0, 1}), (Places{{0, 0}, {1, 0}}));
  EXPECT_EQ(litmus_over(parsed("P0: await y; a = x\nP1: x = 1; y = 1\nP2: truncate y"), {0, 1}),
            (Places{{0, 0}}));
}

TEST(LitmusOrder, who_may_have_been_told_by_another_knows_nothing) {
  EXPECT_EQ(litmus_over(parsed("P0: await f; a = x\nP1: x = 1; f = 1\nP2: f = 1"), {0, 1}), (Places{{0, 0}}));
  // f = 0 tells nobody.
  EXPECT_EQ(litmus_over(parsed("P0: await f; a = x\nP1: x = 1; f = 1\nP2: f = 0"), {0, 1}),
            (Places{{0, 0}, {1, 0}}));
}

TEST(LitmusOrder, processors_that_wait_for_each_other_do_not_hang_it) {
  EXPECT_EQ(litmus_over(parsed("P0: await f; g = 1; a = x\nP1: await g; f = 1"), {0, 2}).size(), 3U);
}

TEST(LitmusOrder, a_clean_page_promises_stores_and_new_data_promises_the_rest) {
  EXPECT_TRUE(litmus_promises(LitmusAct::sync, "R7"));
  EXPECT_FALSE(litmus_promises(LitmusAct::sync, "R3"));
  EXPECT_TRUE(litmus_promises(LitmusAct::copy, "R6"));
  EXPECT_FALSE(litmus_promises(LitmusAct::copy, "R7"));
  EXPECT_FALSE(litmus_promises(LitmusAct::unmap, "R1"));  // its system call promises by itself
}

TEST(LitmusOrder, a_flush_under_way_that_the_promise_need_not_wait_for_leaves_it_weak) {
  const auto settled = [](const LitmusProgram& program, LitmusAct promise) {
    return litmus_settled(program, litmus_over(program, {0, program.processors[0].size() - 1}), promise);
  };
  const LitmusProgram beside =
      parsed("P0: f = 1; await g; a = x\nP1: await f; drop x\nP2: await f; write x 1; g = 1");
  EXPECT_FALSE(settled(beside, LitmusAct::write));
  EXPECT_TRUE(settled(beside, LitmusAct::truncate));  // takes the lock of the one that drops
  EXPECT_FALSE(
      settled(parsed("P0: await g; a = x\nP1: reclaim\nP2: truncate x; g = 1"), LitmusAct::truncate));
  EXPECT_TRUE(settled(parsed("P0: await g; a = x\nP1: reclaim; drop x; write x 1; g = 1"), LitmusAct::write));
}

}  // namespace
}  // namespace luf::protocol
