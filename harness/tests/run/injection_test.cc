#include "run/injection.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <fstream>

#include "base/file.h"
#include "scenario/parse.h"
#include "support/catalog.h"
#include "support/fake_clock.h"
#include "support/fake_machine.h"
#include "support/temp_directory.h"

namespace luf::run {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Its balloon does what it is told, so that the injector `balloon` always has an effect, and at once.
class BalloonMachine : public luf::testing::FakeMachine {
 public:
  using FakeMachine::FakeMachine;
  Task<Result<json>> monitor(std::string command, json arguments, TimePoint) override {
    if (command == "balloon" && !stuck) actual_ = arguments.at("value").get<std::int64_t>();
    co_return json{{"actual", actual_}};
  }

  bool stuck = false;  ///< it does nothing: a disturbance has no effect, and takes all of its `length`

 private:
  std::int64_t actual_ = 4096;
};

struct Bench {
  explicit Bench(const std::string& injectors)
      : scenario(*scenario::parse("title = \"t\"\n[[phase]]\nname = \"main\"\nduration = \"8s\"\n"
                                  "[[detector]]\nname = \"foreign_content\"\n" +
                                      injectors,
                                  "x.toml", catalog())) {}

  static scenario::Catalog catalog() {
    scenario::Catalog catalog = luf::testing::test_catalog();
    inject::add_to(catalog);
    return catalog;
  }

  /// At `after` the guest says this, in the phase "main" if the body names no other.
  void say(milliseconds after, const std::string& name, json body = json::object()) {
    body.emplace("phase", "main");
    script.push_back({after, {0, 0, name, std::move(body)}});
  }

  Task<void> follow(Injection& injection) {
    Wake wake(context.get_executor(), clock);
    const TimePoint begin = clock.now();
    for (const auto& [after, event] : script) {
      while (clock.now() < begin + after) co_await wake.wait_until(begin + after);
      injection.take(event);
    }
    idle = co_await injection.stop();
  }

  /// The lines that say which injector disturbed when.
  std::vector<std::string> run() {
    Interrupt interrupt;
    report::Progress progress(false);
    const Environment environment{context.get_executor(), clock, interrupt, progress};
    Injection injection(environment, machine, scenario, directory / "injections.jsonl",
                        directory / "console");
    boost::asio::co_spawn(context, follow(injection), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
    clock.run(context);
    std::vector<std::string> lines;
    std::ifstream file(directory / "injections.jsonl");
    for (std::string line; std::getline(file, line);) {
      const json did = json::parse(line);
      lines.push_back(fmt::format("{} {}", did.at("at_ms").get<int>(), did.at("part").get<std::string>()));
    }
    return lines;
  }

  boost::asio::io_context context;
  luf::testing::FakeClock clock;
  BalloonMachine machine{clock};
  luf::testing::TempDirectory directory;
  scenario::Scenario scenario;
  std::vector<std::pair<milliseconds, guest::Event>> script;
  std::vector<judge::IdlePart> idle;
};

using Lines = std::vector<std::string>;

std::string balloon(const std::string& more) {
  return "[[injector]]\nname = \"balloon\"\nafter = \"500ms\"\n" + more + "\n";
}

TEST(Injection, begins_after_the_phase_and_ends_with_it) {
  Bench bench(balloon(""));
  bench.say(seconds(2), "phase_start");
  bench.say(seconds(4), "phase_end");
  bench.say(seconds(8), "done");
  EXPECT_EQ(bench.run(), (Lines{"2500 balloon", "3500 balloon"}));
  EXPECT_TRUE(bench.idle.empty());
}

TEST(Injection, begins_after_the_first_event_that_it_waits_for) {
  Bench bench(balloon("on = \"progress\""));
  bench.say(seconds(1), "progress");  // in no phase
  bench.say(seconds(2), "phase_start");
  bench.say(seconds(4), "progress");
  bench.say(seconds(5), "progress");
  bench.say(seconds(6), "phase_end");
  EXPECT_EQ(bench.run(), (Lines{"4500 balloon", "5500 balloon"}));
}

TEST(Injection, may_wait_for_the_event_of_one_part) {
  Bench bench(balloon("on = \"finding foreign_content\""));
  bench.say(seconds(0), "phase_start");
  bench.say(seconds(1), "finding", {{"part", "agent"}});
  bench.say(seconds(2), "finding", {{"part", "foreign_content"}});
  bench.say(seconds(3), "phase_end");
  EXPECT_EQ(bench.run(), Lines{"2500 balloon"});
}

TEST(Injection, may_wait_for_the_effect_of_another) {
  Bench bench(balloon("id = \"second\"\non = \"effect first\"") +
              balloon("id = \"first\"\nperiod = \"1min\""));
  bench.say(seconds(0), "phase_start");
  bench.say(milliseconds(1200), "phase_end");
  EXPECT_EQ(bench.run(), (Lines{"500 first", "1000 second"}));
}

TEST(Injection, waits_anew_in_every_phase_and_is_idle_without_its_event) {
  Bench bench(balloon("on = \"progress\""));
  bench.say(seconds(0), "phase_start");
  bench.say(seconds(1), "progress");
  bench.say(seconds(2), "phase_end");
  bench.say(seconds(3), "phase_start");
  bench.say(seconds(5), "phase_end");
  EXPECT_EQ(bench.run(), Lines{"1500 balloon"});
  ASSERT_EQ(bench.idle.size(), 1U);
  EXPECT_EQ(bench.idle.front().reason, "the phase had no event \"progress\" to begin on");
}

TEST(Injection, that_ends_late_is_not_the_next_phases) {
  Bench bench(balloon("length = \"2s\"\non = \"progress\""));
  bench.machine.stuck = true;
  bench.say(seconds(0), "phase_start", {{"phase", "one"}});
  bench.say(seconds(0), "progress", {{"phase", "one"}});
  bench.say(seconds(1), "phase_end", {{"phase", "one"}});
  bench.say(seconds(2), "phase_start", {{"phase", "two"}});
  bench.say(seconds(4), "phase_end", {{"phase", "two"}});
  EXPECT_EQ(bench.run(), Lines{"500 balloon"});
  ASSERT_EQ(bench.idle.size(), 2U);
  EXPECT_EQ(bench.idle.front().reason, "the phase was over before it had an effect");
  EXPECT_EQ(bench.idle.back().reason, "the phase had no event \"progress\" to begin on");
  const Result<std::string> log = read_file(bench.directory / "injections.jsonl");
  ASSERT_TRUE(log);
  EXPECT_EQ(json::parse(*log).at("phase"), "one");
}

}  // namespace
}  // namespace luf::run
