// The host's injectors against a monitor that answers as QEMU does.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <functional>

#include "base/file.h"
#include "inject/injector.h"
#include "support/fake_clock.h"
#include "support/fake_machine.h"
#include "support/temp_directory.h"

namespace luf::inject {
namespace {

using nlohmann::json;

class ScriptedMachine : public luf::testing::FakeMachine {
 public:
  using FakeMachine::FakeMachine;
  Task<Result<json>> monitor(std::string command, json arguments, TimePoint) override {
    asked.push_back(command);
    co_return answers(command, arguments);
  }
  std::function<Result<json>(const std::string&, const json&)> answers;
  std::vector<std::string> asked;
};

struct Bench {
  boost::asio::io_context context;
  luf::testing::FakeClock clock;
  ScriptedMachine machine{clock};
  luf::testing::TempDirectory directory;
  std::filesystem::path console = directory.path() / "console.log";

  Result<Effect> disturb(const char* name) {
    Context own{machine, context.get_executor(), clock, std::chrono::seconds(1), console};
    Result<Effect> effect = fail(Blame::kBug, "it never ended");
    const auto keep = [&effect](const std::exception_ptr& error, Result<Effect> result) {
      if (error) std::rethrow_exception(error);
      effect = std::move(result);
    };
    boost::asio::co_spawn(context, find(name)->disturb(own), keep);
    clock.run(context);
    return effect;
  }
};

/// A balloon of which the guest follows every wish down to `least`.
std::function<Result<json>(const std::string&, const json&)> balloon_of(std::int64_t& actual,
                                                                        std::int64_t least) {
  return [&actual, least](const std::string& command, const json& arguments) -> Result<json> {
    if (command == "balloon") actual = std::max(arguments.at("value").get<std::int64_t>(), least);
    return json{{"actual", actual}};
  };
}

TEST(Balloon, takes_a_quarter_and_gives_it_back) {
  Bench bench;
  std::int64_t actual = 4096;
  bench.machine.answers = balloon_of(actual, 0);
  const Result<Effect> effect = bench.disturb("balloon");
  ASSERT_TRUE(effect) << effect.error().message;
  EXPECT_TRUE(effect->seen);
  EXPECT_EQ(effect->after, json({{"bytes", 3072}}));
  EXPECT_EQ(actual, 4096);
}

TEST(Balloon, has_no_effect_on_a_guest_that_gives_nothing) {
  Bench bench;
  std::int64_t actual = 4096;
  bench.machine.answers = balloon_of(actual, 4096);
  const Result<Effect> effect = bench.disturb("balloon");
  ASSERT_TRUE(effect);
  EXPECT_FALSE(effect->seen);
}

TEST(MemoryUnplug, plugs_in_again_also_what_did_not_go) {
  Bench bench;
  std::uint64_t size = std::uint64_t{128} << 20U;
  std::uint64_t wanted = 0;
  bench.machine.answers = [&](const std::string& command, const json& arguments) -> Result<json> {
    if (command == "qom-set") wanted = arguments.at("value").get<std::uint64_t>();
    size = std::max(wanted, std::uint64_t{4} << 20U);
    return command == "qom-get" ? json(size) : json::object();
  };
  const Result<Effect> effect = bench.disturb("memory_unplug");
  ASSERT_TRUE(effect) << effect.error().message;
  EXPECT_TRUE(effect->seen);
  EXPECT_EQ(size, std::uint64_t{128} << 20U);
}

TEST(Nmi, is_seen_by_what_the_guest_says) {
  Bench bench;
  ASSERT_TRUE(write_file(bench.console, "NMI received for unknown reason 20 on CPU 0.\n"));
  bench.machine.answers = [&](const std::string&, const json&) -> Result<json> { return json::object(); };
  const Result<Effect> silent = bench.disturb("nmi");
  ASSERT_TRUE(silent);
  EXPECT_FALSE(silent->seen);
  bench.machine.answers = [&](const std::string&, const json&) -> Result<json> {
    const std::string line = "NMI received for unknown reason 20 on CPU 0.\n";
    EXPECT_TRUE(write_file(bench.console, line + line));
    return json::object();
  };
  const Result<Effect> heard = bench.disturb("nmi");
  ASSERT_TRUE(heard);
  EXPECT_TRUE(heard->seen);
}

/// A disk of which an operation takes `each_ns`; with `failing` the node that fails does so.
struct Disk {
  std::int64_t operations = 0;
  std::int64_t time_ns = 0;
  std::int64_t each_ns = 0;
  std::int64_t failed = 0;
  bool failing = true;
  std::string beneath = "disk-file";

  Result<json> answer(const std::string& command, const json& arguments) {
    if (command == "blockdev-reopen") beneath = arguments.at("options").at(0).at("file");
    if (command != "query-blockstats") return json::object();
    ++operations;
    time_ns += each_ns;
    if (failing && beneath == "disk-bad") ++failed;
    return json::array({{{"node-name", "disk"},
                         {"stats",
                          {{"rd_operations", operations},
                           {"rd_total_time_ns", time_ns},
                           {"failed_rd_operations", failed}}}}});
  }
};

Result<Effect> with_disk(const char* injector, Disk& disk) {
  Bench bench;
  bench.machine.answers = [&disk](const std::string& command, const json& arguments) {
    return disk.answer(command, arguments);
  };
  return bench.disturb(injector);
}

TEST(DiskSlow, has_an_effect_only_when_operations_took_long) {
  Disk fast{.each_ns = 1'000'000};
  EXPECT_FALSE(with_disk("disk_slow", fast)->seen);
  Disk slow{.each_ns = 100'000'000};
  EXPECT_TRUE(with_disk("disk_slow", slow)->seen);
}

TEST(DiskError, is_seen_by_reads_that_failed_and_taken_out_again) {
  Disk good{.failing = false};
  EXPECT_FALSE(with_disk("disk_error", good)->seen);
  EXPECT_EQ(good.beneath, "disk-file");
  Disk bad;
  EXPECT_TRUE(with_disk("disk_error", bad)->seen);
  EXPECT_EQ(bad.beneath, "disk-file");
}

TEST(DiskError, says_that_there_is_no_disk) {
  Bench bench;
  bench.machine.answers = [](const std::string&, const json&) -> Result<json> { return json::array(); };
  const Result<Effect> effect = bench.disturb("disk_error");
  ASSERT_FALSE(effect);
  EXPECT_EQ(effect.error().message, "QEMU knows no disk of the guest's");
}

}  // namespace
}  // namespace luf::inject
