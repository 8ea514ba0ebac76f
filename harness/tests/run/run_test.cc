#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"
#include "run/module_image.h"
#include "run/run_directory.h"
#include "run/supervise.h"
#include "support/environment.h"
#include "support/fake_clock.h"
#include "support/fake_machine.h"
#include "support/temp_directory.h"

namespace luf::run {
namespace {

using judge::RunEnd;
using std::chrono::seconds;
using Calls = std::vector<std::string>;

constexpr const char* kBoot = "{\"seq\":0,\"ev\":\"boot\"}\n";
constexpr const char* kDone = "{\"seq\":1,\"ev\":\"done\"}\n";

struct Bench {
  boost::asio::io_context context;
  luf::testing::FakeClock clock;
  Wake changed{context.get_executor(), clock};
  luf::testing::FakeMachine machine{clock};
  Interrupt interrupt;
  TimePoint begin = clock.now();
  int ticks = 0;

  judge::Observation run() {
    judge::Observation seen;
    Watched watched{machine, machine, changed, clock, interrupt, {}, "done", {}, [this] { tick(); }};
    const auto keep = [&seen](const std::exception_ptr& error, judge::Observation result) {
      if (error) std::rethrow_exception(error);
      seen = std::move(result);
    };
    boost::asio::co_spawn(
        context, supervise(std::move(watched), Patience{seconds(90), seconds(60), seconds(300)}), keep);
    clock.run(context);
    return seen;
  }
  void tick() {
    if (++ticks == interrupt_at) interrupt.ask();
  }
  int interrupt_at = -1;
  std::int64_t took() const { return std::chrono::duration_cast<seconds>(clock.now() - begin).count(); }
};

TEST(Supervise, ends_well_when_the_guest_is_done) {
  Bench bench;
  bench.machine.say(seconds(3), kBoot);
  bench.machine.say(seconds(10), kDone);
  const judge::Observation seen = bench.run();
  EXPECT_EQ(seen.end, RunEnd::kDone);
  EXPECT_EQ(seen.events.size(), 2U);
  EXPECT_EQ(bench.machine.calls, (Calls{"start", "stop"}));
  EXPECT_EQ(bench.took(), 10);
}

TEST(Supervise, gives_up_a_guest_that_does_not_boot) {
  Bench bench;
  EXPECT_EQ(bench.run().end, RunEnd::kNoBoot);
  EXPECT_EQ(bench.took(), 90);
  EXPECT_EQ(bench.machine.calls.back(), "stop");
}

TEST(Supervise, asks_the_emulator_when_the_guest_stalls) {
  Bench bench;
  bench.machine.say(seconds(3), kBoot);
  bench.machine.answer = false;
  const judge::Observation seen = bench.run();
  EXPECT_EQ(seen.end, RunEnd::kStalled);
  EXPECT_FALSE(seen.emulator_answers);
  EXPECT_EQ(bench.took(), 63);
  EXPECT_EQ(bench.machine.calls, (Calls{"start", "answers", "stop"}));
}

TEST(Supervise, bounds_a_guest_that_never_comes_to_an_end) {
  Bench bench;
  bench.machine.say(seconds(0), kBoot);
  for (int i = 1; i < 100; ++i)
    bench.machine.say(seconds(i * 10), fmt::format("{{\"seq\":{},\"ev\":\"progress\"}}\n", i));
  EXPECT_EQ(bench.run().end, RunEnd::kOverrun);
  EXPECT_EQ(bench.took(), 300);
}

TEST(Supervise, reads_to_the_end_when_the_machine_dies) {
  Bench bench;
  bench.machine.say(seconds(3), kBoot);
  bench.machine.say(seconds(5), "{\"seq\":1,\"ev\":\"prog");
  machine::MachineState state;
  state.exit_signal = 9;
  bench.machine.end(seconds(5), state);
  const judge::Observation seen = bench.run();
  EXPECT_EQ(seen.end, RunEnd::kMachineEnded);
  EXPECT_EQ(seen.machine.exit_signal, 9);
  EXPECT_TRUE(seen.damage);
}

TEST(Supervise, a_guest_that_was_done_before_the_machine_ended_is_done) {
  Bench bench;
  bench.machine.say(seconds(3), std::string(kBoot) + kDone);
  bench.machine.end(seconds(3), {});
  EXPECT_EQ(bench.run().end, RunEnd::kDone);
}

TEST(Supervise, stops_at_a_damaged_stream) {
  Bench bench;
  bench.machine.say(seconds(3), std::string(kBoot) + "xx\n");
  EXPECT_EQ(bench.run().end, RunEnd::kStreamDamaged);
}

TEST(Supervise, stops_when_the_user_asks) {
  Bench bench;
  bench.machine.say(seconds(0), kBoot);
  bench.interrupt_at = 5;
  EXPECT_EQ(bench.run().end, RunEnd::kCancelled);
  EXPECT_EQ(bench.machine.calls, (Calls{"start", "stop"}));
}

TEST(Supervise, a_machine_that_does_not_start_is_told_and_stopped) {
  Bench bench;
  bench.machine.start_result = fail(Blame::kInfra, "no memory");
  const judge::Observation seen = bench.run();
  EXPECT_EQ(seen.end, RunEnd::kError);
  EXPECT_EQ(seen.error->message, "no memory");
  EXPECT_EQ(bench.machine.calls, (Calls{"start", "stop"}));
}

TEST(Supervise, a_stream_that_cannot_be_read_is_told) {
  Bench bench;
  bench.machine.read_error = Error{Blame::kInfra, "gone"};
  EXPECT_EQ(bench.run().error->message, "gone");
}

TEST(RunDirectory, takes_the_next_number_and_never_reads_as_passed) {
  const luf::testing::TempDirectory root;
  const RunDirectory first = *RunDirectory::create(root.path(), "a/b");
  const RunDirectory second = *RunDirectory::create(root.path(), "a/b");
  EXPECT_EQ(first.path(), root / "a/b/1");
  EXPECT_EQ(second.path(), root / "a/b/2");
  EXPECT_NE(read_file(second.file("verdict"))->find("not started"), std::string::npos);
}

TEST(RunDirectory, the_verdict_is_json) {
  const luf::testing::TempDirectory root;
  const RunDirectory directory = *RunDirectory::create(root.path(), "a");
  judge::Verdict verdict{
      judge::Outcome::kFail, "R8 violated", Blame::kGuest, {{"main", judge::Outcome::kFail, "R8"}}, {}};
  ASSERT_TRUE(directory.write_verdict(verdict));
  const auto json = nlohmann::json::parse(*read_file(directory.file("verdict")));
  EXPECT_EQ(json["verdict"], "fail");
  EXPECT_EQ(json["blame"], "guest");
  EXPECT_EQ(json["phases"][0]["verdict"], "fail");
}

/// A directory with a stand-in for luf-initramfs, whose result is its own file name, and what it needs.
struct ModuleBench {
  explicit ModuleBench(const std::string& tool) {
    root.put("luf-initramfs", "#!/bin/sh\nfor out; do :; done\nprintf %s \"$out\" > \"$out\"\n" + tool);
    std::filesystem::permissions(root / "luf-initramfs", std::filesystem::perms::owner_all);
    std::filesystem::create_directory(root / "modules");
    settings.modules = root / "modules";
    settings.executable = root / "lufbed";
    settings.image.initramfs = root.put("base.cpio", "base");
    settings.image.initramfs_size = 4;
    settings.image.initramfs_sha256 = sha256("base");
  }
  Result<artifact::Image> build() {
    boost::asio::io_context context;
    Clock clock;
    Interrupt interrupt;
    report::Progress progress(false);
    const Environment environment{context.get_executor(), clock, interrupt, progress};
    Result<artifact::Image> result;
    const auto keep = [&result](const std::exception_ptr& error, Result<artifact::Image> image) {
      if (error) std::rethrow_exception(error);
      result = std::move(image);
    };
    boost::asio::co_spawn(context, image_for(environment, settings), keep);
    context.run();
    return result;
  }
  luf::testing::TempDirectory root;
  luf::testing::EnvironmentVariable cache{"XDG_CACHE_HOME", root.path().string()};
  Settings settings;
};

TEST(ModuleImage, is_drafted_under_a_name_of_this_process) {
  ModuleBench bench("");
  const Result<artifact::Image> image = bench.build();
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->initramfs.extension(), ".cpio");
  EXPECT_EQ(*read_file(image->initramfs), fmt::format("{}.{}.tmp", image->initramfs.string(), ::getpid()));
}

TEST(ModuleImage, leaves_no_draft_when_it_fails) {
  ModuleBench bench("exit 1\n");
  EXPECT_FALSE(bench.build());
  EXPECT_TRUE(std::filesystem::is_empty(bench.root / "lufbed/initramfs"));
}

TEST(ScenarioName, follows_the_folder_scenarios) {
  EXPECT_EQ(scenario_name("/x/scenarios/smoke/luf-on.toml"), "smoke/luf-on");
  EXPECT_EQ(scenario_name("/x/y/own.toml"), "own");
}

}  // namespace
}  // namespace luf::run
