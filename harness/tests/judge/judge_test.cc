#include "judge/judge.h"

#include <gtest/gtest.h>

#include <set>

#include "scenario/parse.h"
#include "support/catalog.h"

namespace luf::judge {
namespace {

using nlohmann::json;

/// With one workload, one injector and two detectors.
scenario::Scenario scenario_with(const std::string& phase, const std::string& head = "") {
  const std::string text = "title = \"t\"\n" + head + "[[phase]]\nname = \"main\"\nduration = \"8s\"\n" +
                           phase +
                           "[[workload]]\nname = \"churn\"\n[[injector]]\nname = \"reclaim\"\n"
                           "[[detector]]\nname = \"foreign_content\"\n[[detector]]\nname = \"write_under\"\n";
  return *scenario::parse(text, "x.toml", luf::testing::test_catalog());
}

const DetectorsByRule kDetectors{{"R8", {"foreign_content"}}, {"R3", {"write_under"}}};

/// A guest's run, event by event.
class Guest {
 public:
  Guest() { say({{"ev", "boot"}}); }
  Guest& say(json body) {
    guest::Event event;
    event.seq = seen.events.size();
    event.name = body.at("ev");
    event.body = std::move(body);
    seen.events.push_back(std::move(event));
    return *this;
  }
  Guest& skip(const char* part, const char* reason) {
    ended_.insert(part);
    return say({{"ev", "skip"}, {"phase", "main"}, {"part", part}, {"reason", reason}});
  }
  Guest& part_end(const std::string& part, const json& metrics) {
    ended_.insert(part);
    return say({{"ev", "part_end"}, {"phase", "main"}, {"part", part}, {"metrics", metrics}});
  }
  /// Ends both detectors, unless they did or were skipped, and the phase.
  Guest& phase(std::uint64_t loads, std::uint64_t findings = 0, const json& counters = json::object()) {
    for (const char* part : {"foreign_content", "write_under"}) {
      if (!ended_.contains(part)) part_end(part, {{"loads", loads / 2}, {"findings", 0}});
    }
    say({{"ev", "phase_end"},
         {"phase", "main"},
         {"elapsed_ms", 8000},
         {"loads", loads},
         {"findings", findings},
         {"counters", counters}});
    return done();
  }
  Guest& start() { return say({{"ev", "phase_start"}, {"phase", "main"}}); }
  Guest& finding(const char* rule, const char* part) {
    return say(
        {{"ev", "finding"}, {"phase", "main"}, {"part", part}, {"rule", rule}, {"detail", "it saw 0xee"}});
  }
  Guest& done() {
    seen.end = RunEnd::kDone;
    return say({{"ev", "done"}});
  }
  Observation seen;

 private:
  std::set<std::string> ended_;
};

Verdict judged(const Guest& guest, const std::string& phase = "", const std::string& head = "") {
  return judge(scenario_with(phase, head), kDetectors, guest.seen);
}

TEST(Judge, silence_with_activity_passes) {
  const Verdict verdict = judged(Guest().start().phase(1000));
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.reason, "no finding in 1 000 checked loads");
}

TEST(Judge, a_finding_in_a_silent_phase_fails) {
  const Verdict verdict = judged(Guest().start().finding("R8", "foreign_content").phase(1000, 3));
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_EQ(verdict.reason, "R8 violated: it saw 0xee (foreign_content, 3 findings in all)");
  EXPECT_EQ(verdict.blame, Blame::kGuest);
}

TEST(Judge, silence_without_loads_is_vacuous) {
  EXPECT_EQ(judged(Guest().start().phase(0)).outcome, Outcome::kVacuous);
}

TEST(Judge, a_busy_detector_does_not_hide_an_idle_one) {
  const Verdict verdict = judged(Guest().start().part_end("write_under", {{"loads", 0}}).phase(1000));
  EXPECT_EQ(verdict.outcome, Outcome::kVacuous);
  EXPECT_EQ(verdict.reason, "write_under checked no load");
  EXPECT_EQ(verdict.blame, Blame::kScenario);
}

TEST(Judge, a_detector_that_tells_no_loads_is_vacuous) {
  const Verdict without = judged(Guest().start().part_end("write_under", json::object()).phase(1000));
  EXPECT_EQ(without.outcome, Outcome::kVacuous);
  EXPECT_EQ(without.reason, "write_under told no number of checked loads");
  const json end{
      {"ev", "phase_end"}, {"phase", "main"}, {"elapsed_ms", 8000}, {"loads", 1000}, {"findings", 0}};
  const Verdict silent =
      judged(Guest().start().part_end("foreign_content", {{"loads", 1000}}).say(end).done());
  EXPECT_EQ(silent.outcome, Outcome::kVacuous);
  EXPECT_EQ(silent.reason, "write_under told no number of checked loads");
}

/// What is said of a guest whose detector write_under tells these.
Verdict with_metrics(const json& metrics) {
  return judged(Guest().start().part_end("write_under", metrics).phase(1000));
}

TEST(Judge, a_detector_without_a_promise_point_is_vacuous) {
  const Verdict verdict = with_metrics({{"loads", 500}, {"tries", 12}, {"promises", 0}});
  EXPECT_EQ(verdict.outcome, Outcome::kVacuous);
  EXPECT_EQ(verdict.reason, "write_under saw no promise point: 0 of 12 tries");
  EXPECT_EQ(with_metrics({{"loads", 500}, {"promises", 0}}).reason, "write_under saw no promise point");
  EXPECT_EQ(with_metrics({{"loads", 500}, {"tries", 12}, {"promises", 1}}).outcome, Outcome::kPass);
}

TEST(Judge, a_detector_without_an_occasion_is_vacuous) {
  const Verdict verdict = with_metrics({{"loads", 500}, {"promises", 3}, {"occasions", 0}});
  EXPECT_EQ(verdict.outcome, Outcome::kVacuous);
  EXPECT_EQ(verdict.reason, "write_under had no occasion");
  EXPECT_EQ(with_metrics({{"loads", 500}, {"promises", 3}, {"occasions", 1}}).outcome, Outcome::kPass);
}

TEST(Judge, an_injector_that_counts_no_effect_is_vacuous) {
  const Verdict verdict = judged(Guest().start().part_end("reclaim", {{"effects", 0}}).phase(1000));
  EXPECT_EQ(verdict.outcome, Outcome::kVacuous);
  EXPECT_EQ(verdict.reason, "reclaim had no effect");
  EXPECT_EQ(judged(Guest().start().part_end("reclaim", {{"effects", 1}}).phase(1000)).outcome,
            Outcome::kPass);
}

TEST(Judge, a_start_that_was_repeated_is_noted_also_when_QEMU_said_nothing) {
  Guest guest;
  guest.start().phase(200'000'000);
  EXPECT_TRUE(judged(guest).notes.empty());
  guest.seen.first_start = "";
  const Verdict verdict = judged(guest);
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  ASSERT_EQ(verdict.notes.size(), 1U);
  EXPECT_NE(verdict.notes[0].find("was started again"), std::string::npos);
}

TEST(Judge, an_injector_of_the_host_without_effect_is_vacuous) {
  Guest guest;
  guest.start().phase(1000);
  guest.seen.idle.push_back({"main", "stopper", "QEMU refused"});
  const Verdict verdict = judged(guest);
  EXPECT_EQ(verdict.outcome, Outcome::kVacuous);
  EXPECT_EQ(verdict.reason, "stopper did not run: QEMU refused");
}

TEST(Judge, every_idle_detector_is_named) {
  Guest guest;
  guest.start()
      .part_end("foreign_content", {{"loads", 0}})
      .part_end("write_under", {{"loads", 9}, {"tries", 3}, {"promises", 0}});
  EXPECT_EQ(judged(guest.phase(9)).reason,
            "foreign_content checked no load; write_under saw no promise point: 0 of 3 tries");
}

TEST(Judge, an_idle_detector_does_not_hide_a_finding) {
  const Guest guest =
      Guest().start().part_end("write_under", {{"loads", 0}}).finding("R8", "foreign_content").phase(1000, 1);
  EXPECT_EQ(judged(guest).outcome, Outcome::kFail);
}

TEST(Judge, a_caught_fault_does_not_need_the_other_detectors) {
  const Guest guest =
      Guest().start().part_end("write_under", {{"loads", 0}}).finding("R8", "foreign_content").phase(1000, 1);
  EXPECT_EQ(judged(guest, "expect = \"R8\"\n").outcome, Outcome::kPass);
}

TEST(Judge, too_little_activity_is_vacuous) {
  const Guest guest = Guest().start().phase(1000, 0, {{"luf_deferred", 12}});
  const Verdict verdict = judged(guest, "at_least = { luf_deferred = 1000 }\n");
  EXPECT_EQ(verdict.outcome, Outcome::kVacuous);
  EXPECT_EQ(verdict.reason, "too little activity: luf_deferred is 12, at least 1000 are needed");
  EXPECT_EQ(judged(guest, "at_least = { luf_deferred = 12, loads = 1000 }\n").outcome, Outcome::kPass);
  EXPECT_EQ(judged(guest, "at_least = { no_such = 1 }\n").outcome, Outcome::kVacuous);
}

TEST(Judge, an_expected_finding_passes) {
  const Verdict verdict =
      judged(Guest().start().finding("R8", "foreign_content").phase(10, 1), "expect = \"R8\"\n");
  EXPECT_EQ(verdict.outcome, Outcome::kPass);
  EXPECT_EQ(verdict.reason, "the seeded fault was caught by foreign_content as R8: it saw 0xee");
}

TEST(Judge, an_expected_finding_that_is_missing_fails) {
  const Verdict verdict = judged(Guest().start().phase(10), "expect = \"R8\"\n");
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_TRUE(verdict.reason.starts_with("the seeded fault was not caught: no finding of R8"))
      << verdict.reason;
}

TEST(Judge, a_finding_of_another_rule_fails) {
  const Verdict verdict =
      judged(Guest().start().finding("R3", "write_under").phase(10, 1), "expect = \"R8\"\n");
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_TRUE(verdict.reason.starts_with("R3 violated where only R8 was expected")) << verdict.reason;
}

TEST(Judge, a_fault_that_nobody_looked_for_is_skipped) {
  Guest guest;
  guest.skip("foreign_content", "needs 2 nodes").start().phase(10);
  const Verdict verdict = judged(guest, "expect = \"R8\"\n");
  EXPECT_EQ(verdict.outcome, Outcome::kSkip);
  EXPECT_EQ(verdict.reason, "foreign_content did not run: needs 2 nodes");
}

TEST(Judge, silence_that_nobody_watched_is_skipped) {
  Guest guest;
  guest.skip("foreign_content", "no disk").skip("write_under", "no disk").start().phase(0);
  const Verdict verdict = judged(guest);
  EXPECT_EQ(verdict.outcome, Outcome::kSkip);
  EXPECT_EQ(verdict.reason, "foreign_content, write_under did not run: no disk");
  EXPECT_FALSE(verdict.blame);
}

TEST(Judge, silence_without_one_of_its_parts_is_vacuous) {
  for (const std::string part : {"churn", "reclaim", "write_under"}) {
    const Verdict verdict = judged(Guest().skip(part.c_str(), "needs 2 nodes").start().phase(1000));
    EXPECT_EQ(verdict.outcome, Outcome::kVacuous) << part;
    EXPECT_EQ(verdict.reason, part + " did not run: needs 2 nodes");
    EXPECT_EQ(verdict.blame, Blame::kScenario) << part;
  }
}

TEST(Judge, a_skipped_part_is_named_before_the_activity_it_left_out) {
  const Guest guest =
      Guest().skip("reclaim", "needs 2 nodes").skip("write_under", "no disk").start().phase(0);
  EXPECT_EQ(judged(guest, "at_least = { luf_deferred = 1 }\n").reason,
            "reclaim did not run: needs 2 nodes; write_under did not run: no disk");
}

TEST(Judge, a_skipped_part_does_not_hide_a_finding) {
  const Guest guest =
      Guest().skip("write_under", "no disk").start().finding("R8", "foreign_content").phase(1000, 1);
  EXPECT_EQ(judged(guest).outcome, Outcome::kFail);
}

TEST(Judge, a_caught_fault_stands_without_the_skipped_parts) {
  const Guest guest =
      Guest().skip("reclaim", "needs 2 nodes").start().finding("R8", "foreign_content").phase(1000, 1);
  EXPECT_EQ(judged(guest, "expect = \"R8\"\n").outcome, Outcome::kPass);
}

TEST(Judge, a_skipped_phase_is_a_skip_with_its_reason) {
  Guest guest;
  guest.say({{"ev", "skip"}, {"phase", "main"}, {"reason", "no series"}}).done();
  EXPECT_EQ(judged(guest).outcome, Outcome::kSkip);
  EXPECT_EQ(judged(guest).reason, "no series");
}

TEST(Judge, an_error_inside_the_guest_is_infra) {
  Guest guest;
  guest.start()
      .say({{"ev", "part_end"}, {"phase", "main"}, {"part", "churn"}, {"error", "killed"}})
      .phase(1000);
  EXPECT_EQ(judged(guest).outcome, Outcome::kInfra);
}

TEST(Judge, a_phase_that_never_ran_is_infra) { EXPECT_EQ(judged(Guest().done()).outcome, Outcome::kInfra); }

TEST(Judge, known_failures_are_marked_both_ways) {
  const std::string head = "known_failure = \"ticket\"\n";
  EXPECT_EQ(judged(Guest().start().finding("R8", "foreign_content").phase(9, 1), "", head).outcome,
            Outcome::kKnownFailure);
  EXPECT_EQ(judged(Guest().start().phase(9), "", head).outcome, Outcome::kUnexpectedPass);
  EXPECT_EQ(judged(Guest().start().phase(0), "", head).outcome, Outcome::kVacuous);
}

/// What ended a run that had begun its phase, and what that means.
struct Ending {
  const char* name;
  void (*apply)(Observation& seen);
  Outcome outcome;
  Blame blame;
  const char* reason;
};

const Ending kEndings[] = {
    {"panic",
     [](Observation& seen) {
       seen.end = RunEnd::kMachineEnded, seen.machine.ended = true,
       seen.console = "[ 1.0] Kernel panic - not syncing: x\n";
     },
     Outcome::kFail, Blame::kGuest,
     "the guest kernel reported a fault (panic): Kernel panic - not syncing: x"},
    {"silent panic",
     [](Observation& seen) {
       seen.end = RunEnd::kMachineEnded, seen.machine.ended = seen.machine.guest_panicked = true;
     },
     Outcome::kFail, Blame::kGuest, "the guest panicked; its console says nothing about it"},
    {"reset",
     [](Observation& seen) {
       seen.end = RunEnd::kMachineEnded, seen.machine.ended = true,
       seen.machine.shutdown_reason = "guest-reset";
     },
     Outcome::kFail, Blame::kGuest, "the guest ended itself in the middle of the run (guest-reset)"},
    {"killed",
     [](Observation& seen) {
       seen.end = RunEnd::kMachineEnded, seen.machine.ended = true, seen.machine.exit_signal = 9;
     },
     Outcome::kInfra, Blame::kInfra, "QEMU was ended by signal 9 (Killed) in the middle of the run"},
    {"exit",
     [](Observation& seen) {
       seen.end = RunEnd::kMachineEnded, seen.machine.ended = true, seen.machine.exit_code = 1,
       seen.machine.last_words = "no";
     },
     Outcome::kInfra, Blame::kInfra, "QEMU exited with status 1 in the middle of the run; it said: no"},
    {"hang", [](Observation& seen) { seen.end = RunEnd::kStalled; }, Outcome::kFail, Blame::kGuest,
     "the guest hung: no event for 1min, while QEMU still answers"},
    {"hang on a crowded host",
     [](Observation& seen) { seen.end = RunEnd::kStalled, seen.crowding = "there are too many"; },
     Outcome::kInfra, Blame::kInfra,
     "a hang that the host may have made, for there are too many: no event for 1min, while QEMU still "
     "answers"},
    {"frozen QEMU", [](Observation& seen) { seen.end = RunEnd::kStalled, seen.emulator_answers = false; },
     Outcome::kInfra, Blame::kInfra, "no event for 1min, and QEMU itself does not answer"},
    {"out of memory",
     [](Observation& seen) {
       seen.end = RunEnd::kStalled, seen.console = "Out of memory: Killed process 70 (churn)\n";
     },
     Outcome::kFail, Blame::kGuest,
     "the guest kernel reported a fault (out_of_memory): Out of memory: Killed process 70 (churn)"},
    {"lockup",
     [](Observation& seen) {
       seen.console = "watchdog: BUG: soft lockup - CPU#1 stuck for 63s! [churn:60]\n";
     },
     Outcome::kFail, Blame::kGuest,
     "the guest kernel reported a lockup (soft_lockup): watchdog: BUG: soft lockup - CPU#1 stuck for 63s! "
     "[churn:60]"},
    {"lockup on a crowded host",
     [](Observation& seen) {
       seen.crowding = "there are too many";
       seen.console = "watchdog: BUG: soft lockup - CPU#1 stuck for 63s! [churn:60]\n";
     },
     Outcome::kInfra, Blame::kInfra,
     "a lockup (soft_lockup) that the host may have made, for there are too many: watchdog: BUG: soft lockup "
     "- CPU#1 stuck for 63s! [churn:60]"},
    {"torn", [](Observation& seen) { seen.end = RunEnd::kStreamDamaged, seen.damage = "a gap"; },
     Outcome::kInfra, Blame::kInfra, "the event stream is damaged: a gap"},
    {"disk full",
     [](Observation& seen) {
       seen.end = RunEnd::kStreamDamaged, seen.damage = "a gap", seen.disk_full = true;
     },
     Outcome::kInfra, Blame::kInfra, "the disk of the run directory is full"},
    {"cancelled", [](Observation& seen) { seen.end = RunEnd::kCancelled; }, Outcome::kInfra,
     Blame::kCancelled, "cancelled by the user"},
    {"overrun", [](Observation& seen) { seen.end = RunEnd::kOverrun; }, Outcome::kInfra, Blame::kTimeout,
     "the guest did not finish in time"},
    {"host",
     [](Observation& seen) {
       seen.end = RunEnd::kError, seen.error = Error{Blame::kGuest, "x"};
     },
     Outcome::kInfra, Blame::kInfra, "x"},
};

TEST(Judge, every_ending_has_its_blame) {
  for (const Ending& ending : kEndings) {
    Guest guest;
    guest.start();
    ending.apply(guest.seen);
    const Verdict verdict = judged(guest);
    EXPECT_EQ(verdict.outcome, ending.outcome) << ending.name;
    EXPECT_EQ(verdict.blame, ending.blame) << ending.name;
    EXPECT_EQ(verdict.reason, ending.reason) << ending.name;
  }
}

TEST(Judge, no_ending_hides_a_violation) {
  for (const Ending& ending : kEndings) {
    Guest guest;
    guest.start().finding("R8", "foreign_content");
    ending.apply(guest.seen);
    EXPECT_EQ(judged(guest).outcome, Outcome::kFail) << ending.name;
  }
}

TEST(Judge, no_ending_is_a_known_failure) {
  for (const Ending& ending : kEndings) {
    Guest guest;
    guest.start();
    ending.apply(guest.seen);
    EXPECT_EQ(judged(guest, "", "known_failure = \"ticket\"\n").outcome, ending.outcome) << ending.name;
  }
}

TEST(Judge, what_could_not_boot_is_infra) {
  Observation seen;
  seen.end = RunEnd::kMachineEnded;
  seen.machine.ended = true;
  seen.console = "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n";
  EXPECT_EQ(judge(scenario_with(""), kDetectors, seen).outcome, Outcome::kInfra);
  Observation silent;
  silent.end = RunEnd::kNoBoot;
  EXPECT_EQ(judge(scenario_with(""), kDetectors, silent).reason,
            "the guest did not boot: no event within 90s");
}

}  // namespace
}  // namespace luf::judge
