#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>

#include "base/file.h"
#include "inject/injector.h"
#include "report/stats.h"
#include "run/debug.h"
#include "run/minimise.h"
#include "run/pack.h"
#include "run/repro.h"
#include "run/steering.h"
#include "scenario/parse.h"
#include "support/catalog.h"
#include "support/fake_clock.h"
#include "support/temp_directory.h"

namespace luf::run {
namespace {

constexpr const char* kScenario =
    "title = \"t\"\n[machine]\nicount = 4\n[kernel]\nluf = \"on\"\npoints_on = [\"fault_tail\"]\n"
    "[schedule]\nstrategy = \"pct\"\ndepth = 3\n"
    "[[phase]]\nname = \"control\"\nduration = \"100ms\"\n"
    "[[phase]]\nname = \"fault\"\nduration = \"1s\"\nexpect = \"R8\"\npoints_off = [\"unmap\"]\n"
    "faults = { lost_mark = 5 }\ndelays = { fork = \"200us\" }\n"
    "[[workload]]\nname = \"churn\"\n[[injector]]\nname = \"reclaim\"\n"
    "[[detector]]\nname = \"foreign_content\"\n[[detector]]\nname = \"write_under\"\n";

scenario::Scenario scenario_of(const char* text) {
  const Result<scenario::Scenario> scenario = scenario::parse(text, "x.toml", luf::testing::test_catalog());
  EXPECT_TRUE(scenario) << scenario.error().message;
  return scenario ? *scenario : scenario::Scenario{};
}

TEST(Digest, is_equal_for_equal_runs_only) {
  const Digest digest = digest_of("a", "b", "c");
  EXPECT_EQ(digest, digest_of("a", "b", "c"));
  for (const Digest& other : {digest_of("x", "b", "c"), digest_of("a", "x", "c"), digest_of("a", "b", "")})
    EXPECT_NE(digest.whole(), other.whole());
}

TEST(Digest, comes_back_from_its_file) {
  const luf::testing::TempDirectory directory;
  const Digest digest = digest_of("a", "b", "c");
  directory.put("digest.json", to_json(digest));
  EXPECT_EQ(*digest_in(directory.path()), digest);
  directory.put("digest.json", "{\"dig");
  EXPECT_NE(digest_in(directory.path()).error().message.find("is damaged"), std::string::npos);
}

TEST(FirstDifference, names_the_event_where_two_streams_part) {
  EXPECT_EQ(first_difference("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(first_difference("a\nb\nc\n", "a\nx\nc\n"), "event 1 was b, now it is x");
  EXPECT_EQ(first_difference("a\nb\n", "a\n"), "event 1 was b, now it is nothing");
}

/// A run directory as a deterministic run leaves it.
void put_run(const luf::testing::TempDirectory& directory, const std::string& events = "{}\n") {
  const auto catalog = luf::testing::test_catalog();
  directory.put("scenario.toml", scenario::to_toml(scenario_of(kScenario), catalog));
  directory.put(
      "manifest.json",
      "{\"scenario\":\"race/x\",\"append\":\"\",\"cloned\":true,\"kernel\":{\"file\":\"/none/vmlinux\","
      "\"hash\":\"k1\",\"brought\":false},\"image\":{\"initramfs_sha256\":\"i1\"},"
      "\"qemu\":{\"version\":\"Q 10\"},\"accel\":{\"used\":\"tcg\"}}");
  directory.put("verdict", "{\"verdict\":\"fail\"}");
  directory.put("findings.json", "[{\"rule\":\"R8\",\"fingerprint\":\"f1\"}]");
  directory.put("events.jsonl", events);
  directory.put("console.log", "");
  directory.put("digest.json", to_json(digest_of(events, "", "s")));
}

Result<Recorded> read(const luf::testing::TempDirectory& directory) {
  return read_run(directory.path(), luf::testing::test_catalog());
}

TEST(Repro, reads_what_a_run_left) {
  const luf::testing::TempDirectory directory;
  put_run(directory);
  const Result<Recorded> recorded = read(directory);
  ASSERT_TRUE(recorded) << recorded.error().message;
  EXPECT_EQ(recorded->job.name, "race/x");
  EXPECT_EQ(recorded->job.scenario.schedule.strategy, "pct");
  EXPECT_EQ(recorded->fingerprints, std::vector<std::string>{"f1"});
  EXPECT_TRUE(recorded->cloned);
}

TEST(Repro, tells_in_one_line_what_is_missing_or_damaged) {
  const luf::testing::TempDirectory directory;
  EXPECT_NE(read(directory).error().message.find("manifest.json"), std::string::npos);
  put_run(directory);
  directory.put("manifest.json", "{\"scenario\":1}");
  EXPECT_NE(read(directory).error().message.find("is damaged"), std::string::npos);
  put_run(directory);
  directory.put("verdict", "{\"verdict\":\"incomplete\"}");
  const Result<Recorded> half = read(directory);
  EXPECT_NE(half.error().message.find("did not end"), std::string::npos);
  EXPECT_EQ(half.error().blame, Blame::kScenario);
}

TEST(Repro, runs_nothing_with_another_kernel_image_or_qemu) {
  const luf::testing::TempDirectory directory;
  put_run(directory);
  const Recorded recorded = *read(directory);
  Ready here;
  here.qemu_version = "Q 10";
  here.settings.kernel.hash = "k1";
  here.settings.image.initramfs_sha256 = "i1";
  const Result<Ready> own = ready_for(recorded, here);
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_FALSE(own->settings.cold);
  EXPECT_NE(ready_for(recorded, Ready{here.settings, "Q 11"}).error().message.find("\"Q 11\""),
            std::string::npos);
  here.settings.image.initramfs_sha256 = "i2";
  EXPECT_NE(ready_for(recorded, here).error().message.find("guest image"), std::string::npos);
  here.settings.kernel.hash = "k2";
  EXPECT_NE(ready_for(recorded, here).error().message.find("kernel k1"), std::string::npos);
}

TEST(Repro, names_the_first_event_that_differs) {
  const luf::testing::TempDirectory first;
  const luf::testing::TempDirectory again;
  put_run(first, "{\"seq\":0}\n{\"seq\":1}\n");
  put_run(again, "{\"seq\":0}\n{\"seq\":2}\n");
  EXPECT_TRUE(compare(*read(first), *read(first)).exact);
  const Sameness other = compare(*read(first), *read(again));
  EXPECT_FALSE(other.exact);
  EXPECT_TRUE(other.violation);
  EXPECT_EQ(other.difference, "event 1 was {\"seq\":1}, now it is {\"seq\":2}");
}

TEST(Pack, carries_a_run_to_another_place) {
  const luf::testing::TempDirectory run;
  const luf::testing::TempDirectory elsewhere;
  put_run(run);
  run.put("console.log", "bytes \xff of any kind\n");
  const auto file = elsewhere / "run.lufbed";
  ASSERT_TRUE(pack(run.path(), file));
  const luf::testing::TempDirectory out;
  ASSERT_TRUE(unpack(file, out.path()));
  const Result<Recorded> recorded = read(out);
  ASSERT_TRUE(recorded) << recorded.error().message;
  EXPECT_TRUE(compare(*read(run), *recorded).exact);
}

TEST(Pack, that_was_changed_is_refused_and_writes_nothing) {
  const luf::testing::TempDirectory run;
  const luf::testing::TempDirectory out;
  put_run(run);
  const auto file = run / "run.lufbed";
  ASSERT_TRUE(pack(run.path(), file));
  std::string text = *read_file(file);
  text[text.size() / 2] ^= 1;
  const Result<void> damaged = unpack(run.put("damaged", text), out.path());
  EXPECT_NE(damaged.error().message.find("is damaged"), std::string::npos);
  const Result<void> other = unpack(run / "verdict", out.path());
  EXPECT_NE(other.error().message.find("is no pack"), std::string::npos);
  EXPECT_FALSE(unpack(run / "nothing", out.path()));
  EXPECT_TRUE(std::filesystem::is_empty(out.path()));
}

/// Reduces `count` steps of which `needed` are essential; returns those kept.
std::vector<std::size_t> kept_of(std::size_t count, const std::vector<std::size_t>& needed, int& asked) {
  boost::asio::io_context context;
  std::vector<std::size_t> kept;
  const StillFails still_fails = [&](const std::vector<bool>& out) -> Task<Result<bool>> {
    ++asked;
    for (const std::size_t each : needed)
      if (out[each]) co_return false;
    co_return true;
  };
  const auto keep = [&](const std::exception_ptr&, Result<std::vector<bool>> out) {
    for (std::size_t i = 0; i < count; ++i)
      if (!(*out)[i]) kept.push_back(i);
  };
  boost::asio::co_spawn(context, reduce(count, still_fails), keep);
  context.run();
  return kept;
}

TEST(Minimise, keeps_the_three_of_twelve_that_matter) {
  int asked = 0;
  EXPECT_EQ(kept_of(12, {2, 5, 9}, asked), (std::vector<std::size_t>{2, 5, 9}));
  EXPECT_LT(asked, 60);
  EXPECT_EQ(kept_of(12, {}, asked), std::vector<std::size_t>{});
  EXPECT_EQ(kept_of(1, {0}, asked), std::vector<std::size_t>{0});
  EXPECT_EQ(kept_of(0, {}, asked), std::vector<std::size_t>{});
}

TEST(Minimise, can_leave_out_all_but_the_detector_that_saw_it) {
  scenario::Scenario scenario = scenario_of(kScenario);
  const std::vector<Step> steps = steps_of(scenario, "foreign_content", "fault");
  std::vector<std::string> names;
  for (const Step& step : steps) {
    names.push_back(step.name);
    step.leave_out(scenario);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"workload churn", "injector reclaim", "detector write_under",
                                             "phase control", "fault lost_mark in phase fault",
                                             "delay fork in phase fault", "unmap switched off in phase fault",
                                             "fault_tail switched on", "schedule"}));
  ASSERT_EQ(scenario.parts.size(), 1U);
  EXPECT_EQ(scenario.parts.front().id, "foreign_content");
  ASSERT_EQ(scenario.phases.size(), 1U);
  EXPECT_TRUE(scenario.phases.front().faults.empty());
  EXPECT_EQ(scenario.schedule.strategy, "none");
}

/// The ids of the parts that are left when that step is taken.
std::vector<std::string> left_without(const std::string& text, const std::string& name) {
  scenario::Catalog catalog = luf::testing::test_catalog();
  inject::add_to(catalog);
  scenario::Scenario scenario = *scenario::parse(text, "x.toml", catalog);
  for (const Step& step : steps_of(scenario, "foreign_content", "main"))
    if (step.name == name) step.leave_out(scenario);
  std::vector<std::string> ids;
  for (const scenario::Part& part : scenario.parts) ids.push_back(part.id);
  return ids;
}

TEST(Minimise, leaves_out_all_that_waits_for_what_it_leaves_out) {
  const auto nmi = [](const std::string& id, const std::string& on) {
    return "[[injector]]\nname = \"nmi\"\nid = \"" + id + "\"\non = \"" + on + "\"\n";
  };
  const std::string text =
      "title = \"t\"\n[[phase]]\nname = \"main\"\nduration = \"1s\"\n[[detector]]\nname = "
      "\"foreign_content\"\n";
  const std::string chain = text + nmi("a", "effect b") + nmi("b", "effect c") + nmi("c", "progress");
  using Ids = std::vector<std::string>;
  EXPECT_EQ(left_without(chain, "injector c"), Ids{"foreign_content"});
  EXPECT_EQ(left_without(chain, "injector b"), (Ids{"c", "foreign_content"}));
  EXPECT_EQ(left_without(chain, "injector a"), (Ids{"b", "c", "foreign_content"}));
  const std::string whoever = text + nmi("a", "effect") + nmi("b", "effect a") + nmi("c", "progress");
  EXPECT_EQ(left_without(whoever, "injector c"), Ids{"foreign_content"});
  EXPECT_EQ(left_without(whoever, "injector a"), (Ids{"c", "foreign_content"}));
}

TEST(Minimise, goes_down_to_two_cpus_one_node_and_128_mib) {
  scenario::Scenario scenario = scenario_of(kScenario);
  for (std::vector<Step> steps = smaller(scenario); !steps.empty(); steps = smaller(scenario))
    steps.front().leave_out(scenario);
  EXPECT_EQ(scenario.machine.cpus, 2);
  EXPECT_EQ(scenario.machine.nodes, 1);
  EXPECT_EQ(scenario.machine.memory, std::uint64_t{128} << 20U);
  EXPECT_LT(scenario.phases.front().duration, std::chrono::milliseconds(40));
}

TEST(Explore, takes_a_finding_or_a_dead_guest_for_a_violation) {
  const scenario::Scenario expects = scenario_of(kScenario);
  scenario::Scenario silent = expects;
  for (scenario::Phase& phase : silent.phases) phase.expect = scenario::kSilent;
  report::Summary summary;
  summary.digest = "d";
  summary.verdict.outcome = judge::Outcome::kFail;
  EXPECT_FALSE(violates(expects, summary));  // only that nothing came
  EXPECT_TRUE(violates(silent, summary));
  summary.digest.clear();
  EXPECT_TRUE(violates(expects, summary));
  summary.verdict.outcome = judge::Outcome::kPass;
  EXPECT_FALSE(violates(expects, summary));
  summary.findings = 1;
  EXPECT_TRUE(violates(expects, summary));
}

TEST(Bound, of_silence_shrinks_with_the_number_of_runs) {
  EXPECT_NEAR(bound_of_silence(200), 0.0149, 0.0001);
  EXPECT_DOUBLE_EQ(bound_of_silence(0), 1);
}

TEST(RateInterval, holds_the_rate) {
  const report::Interval all = report::rate_interval(10, 10);
  EXPECT_NEAR(all.low, 0.7225, 0.001);
  EXPECT_DOUBLE_EQ(all.high, 1);
  const report::Interval some = report::rate_interval(3, 10);
  EXPECT_NEAR(some.low, 0.1078, 0.001);
  EXPECT_NEAR(some.high, 0.6032, 0.001);
}

TEST(Steering, is_left_out_where_nothing_needs_it) {
  scenario::Scenario scenario = scenario_of(kScenario);
  scenario.schedule = {};
  machine::QemuSetup setup;
  setup.icount = 4;
  ASSERT_TRUE(add_steering({}, scenario, "/r/steer.json", setup));
  EXPECT_TRUE(setup.plugins.empty());
  Settings stopping;
  stopping.stop.at = 42;
  ASSERT_TRUE(add_steering(stopping, scenario, "/r/steer.json", setup));
  ASSERT_EQ(setup.plugins.size(), 1U);
  EXPECT_NE(setup.plugins.front().find("luf-steer.so,report=/r/steer.json,stop_at=42"), std::string::npos);
}

TEST(Steering, names_the_point_that_a_kernel_has_not) {
  scenario::Scenario scenario = scenario_of(kScenario);
  scenario.schedule.points = {"no_such_function"};
  Settings settings;
  settings.kernel.file = "/proc/self/exe";  // an ELF file with symbols will do
  machine::QemuSetup setup;
  setup.icount = 4;
  const Result<void> added = add_steering(settings, scenario, "/r/steer.json", setup);
  EXPECT_NE(added.error().message.find("no function no_such_function"), std::string::npos);
  scenario.schedule.points = {"main"};
  EXPECT_TRUE(add_steering(settings, scenario, "/r/steer.json", setup));
  settings.kernel.file = LUFBED_SOURCE_DIR "/CMakeLists.txt";
  EXPECT_NE(add_steering(settings, scenario, "/r/steer.json", setup).error().message.find("no ELF file"),
            std::string::npos);
}

TEST(GdbCommand, loads_both_programs_and_runs_what_was_asked) {
  const std::vector<std::string> words =
      gdb_command("/k/vmlinux", "/b/luf-guest", "/t/gdb", {0, true, {"info threads"}, 3});
  EXPECT_EQ(words.front(), "gdb");
  for (const char* word : {"-batch", "file /k/vmlinux", "add-symbol-file /b/luf-guest",
                           "target remote /t/gdb", "thread 4", "info threads"})
    EXPECT_NE(std::find(words.begin(), words.end(), word), words.end()) << word;
}

}  // namespace
}  // namespace luf::run
