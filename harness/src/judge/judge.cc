#include "judge/judge.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/units.h"
#include "judge/console.h"
#include "judge/phase.h"
#include "protocol/event.h"

namespace luf::judge {
namespace {

struct Cause {
  Outcome outcome = Outcome::kInfra;
  Blame blame = Blame::kInfra;
  std::string reason;
};

bool booted(const Observation& seen) {
  return !seen.events.empty() && seen.events.front().name == protocol::event::kBoot;
}

std::optional<Cause> judge_console(const Observation& seen) {
  const std::vector<ConsoleHit> hits = scan_console(seen.console);
  const auto with = [&hits](ConsoleMeaning meaning) -> const ConsoleHit* {
    const auto hit = std::find_if(hits.begin(), hits.end(), [meaning](const ConsoleHit& candidate) {
      return candidate.meaning == meaning;
    });
    return hit != hits.end() ? &*hit : nullptr;
  };
  if (const ConsoleHit* hit = with(ConsoleMeaning::kBadImage); hit != nullptr && !booted(seen)) {
    return Cause{Outcome::kInfra, Blame::kInfra,
                 fmt::format("the guest could not start ({}): {}", hit->kind, hit->line)};
  }
  if (const ConsoleHit* hit = with(ConsoleMeaning::kGuestFault)) {
    return Cause{Outcome::kFail, Blame::kGuest,
                 fmt::format("the guest kernel reported a fault ({}): {}", hit->kind, hit->line)};
  }
  if (const ConsoleHit* hit = with(ConsoleMeaning::kLockup)) {
    if (seen.crowding.empty())
      return Cause{Outcome::kFail, Blame::kGuest,
                   fmt::format("the guest kernel reported a lockup ({}): {}", hit->kind, hit->line)};
    return Cause{Outcome::kInfra, Blame::kInfra,
                 fmt::format("a lockup ({}) that the host may have made, for {}: {}", hit->kind,
                             seen.crowding, hit->line)};
  }
  return std::nullopt;
}

Cause judge_lost_machine(const Observation& seen) {
  const machine::MachineState& machine = seen.machine;
  if (machine.guest_panicked)
    return {Outcome::kFail, Blame::kGuest, "the guest panicked; its console says nothing about it"};
  const char* when = booted(seen) ? "in the middle of the run" : "before its first event";
  if (!machine.shutdown_reason.empty()) {
    const std::string reason = fmt::format("the guest ended itself {} ({})", when, machine.shutdown_reason);
    return booted(seen) ? Cause{Outcome::kFail, Blame::kGuest, reason}
                        : Cause{Outcome::kInfra, Blame::kInfra, reason};
  }
  const std::string words = machine.last_words.empty() ? "" : "; it said: " + machine.last_words;
  if (machine.exit_signal) {
    return {Outcome::kInfra, Blame::kInfra,
            fmt::format("QEMU was ended by signal {} ({}) {}{}", *machine.exit_signal,
                        ::strsignal(*machine.exit_signal), when, words)};
  }
  return {Outcome::kInfra, Blame::kInfra,
          fmt::format("QEMU exited with status {} {}{}", machine.exit_code.value_or(-1), when, words)};
}

Cause judge_stall(const scenario::Scenario& scenario, const Observation& seen) {
  const std::string limit = format_duration(scenario.machine.stall_deadline);
  if (!seen.emulator_answers) {
    return {Outcome::kInfra, Blame::kInfra,
            fmt::format("no event for {}, and QEMU itself does not answer", limit)};
  }
  const std::string hang = fmt::format("no event for {}, while QEMU still answers", limit);
  if (seen.crowding.empty()) return {Outcome::kFail, Blame::kGuest, "the guest hung: " + hang};
  return {Outcome::kInfra, Blame::kInfra,
          fmt::format("a hang that the host may have made, for {}: {}", seen.crowding, hang)};
}

/// Why the run as a whole cannot be judged by its phases, if so. The order is the order of trust: what makes
/// evidence unreliable comes before what the evidence says.
std::optional<Cause> judge_run(const scenario::Scenario& scenario, const Observation& seen) {
  if (seen.error) {
    const Blame blame = seen.error->blame == Blame::kGuest ? Blame::kInfra : seen.error->blame;
    return Cause{Outcome::kInfra, blame, seen.error->message};
  }
  if (seen.end == RunEnd::kCancelled)
    return Cause{Outcome::kInfra, Blame::kCancelled, "cancelled by the user"};
  if (seen.disk_full && (seen.damage || seen.end != RunEnd::kDone)) {
    return Cause{Outcome::kInfra, Blame::kInfra, "the disk of the run directory is full"};
  }
  if (std::optional<Cause> cause = judge_console(seen)) return cause;
  if (seen.machine.ended && seen.end == RunEnd::kMachineEnded) return judge_lost_machine(seen);
  if (seen.damage)
    return Cause{Outcome::kInfra, Blame::kInfra, "the event stream is damaged: " + *seen.damage};
  switch (seen.end) {
    case RunEnd::kNoBoot:
      return Cause{Outcome::kInfra, Blame::kTimeout,
                   fmt::format("the guest did not boot: no event within {}",
                               format_duration(scenario.machine.boot_deadline))};
    case RunEnd::kStalled:
      return judge_stall(scenario, seen);
    case RunEnd::kOverrun:
      return Cause{Outcome::kInfra, Blame::kTimeout, "the guest did not finish in time"};
    case RunEnd::kDone:
      break;
    default:
      return Cause{Outcome::kInfra, Blame::kBug, "the run ended without a cause"};
  }
  for (const guest::Event& event : seen.events) {
    if (event.name == protocol::event::kError && event.text("phase").empty()) {
      return Cause{Outcome::kInfra, Blame::kInfra, "an error inside the guest: " + event.text("message")};
    }
  }
  return std::nullopt;
}

std::optional<Blame> blame_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kFail:
      return Blame::kGuest;
    case Outcome::kUnexpectedPass:
    case Outcome::kVacuous:
      return Blame::kScenario;
    case Outcome::kInfra:
      return Blame::kInfra;
    default:
      return std::nullopt;
  }
}

/// The worst phase decides; a scenario is skipped only when every phase was.
Verdict combine(std::vector<PhaseVerdict> phases) {
  constexpr std::array kWorstFirst{Outcome::kFail, Outcome::kInfra, Outcome::kVacuous, Outcome::kPass,
                                   Outcome::kSkip};
  Verdict verdict;
  for (const Outcome outcome : kWorstFirst) {
    const auto phase = std::find_if(phases.begin(), phases.end(), [outcome](const PhaseVerdict& candidate) {
      return candidate.outcome == outcome;
    });
    if (phase == phases.end()) continue;
    verdict.outcome = outcome;
    verdict.reason =
        phases.size() == 1 ? phase->reason : fmt::format("phase {}: {}", phase->phase, phase->reason);
    break;
  }
  if (verdict.outcome == Outcome::kPass && phases.size() > 1) {
    std::vector<std::string> reasons;
    for (const PhaseVerdict& phase : phases) reasons.push_back(phase.phase + ": " + phase.reason);
    verdict.reason = fmt::format("{}", fmt::join(reasons, "; "));
  }
  verdict.blame = blame_of(verdict.outcome);
  verdict.phases = std::move(phases);
  return verdict;
}

/// Its violations are findings like a detector's. In a phase that expects a rule only those of that rule are: the oracle
/// also sees what a planted fault breaks beside it.
void add_oracle(const scenario::Scenario& scenario, const Observation& seen,
                std::map<std::string, PhaseRecord>& records) {
  if (!seen.oracle) return;
  for (const OracleFinding& finding : seen.oracle->findings) {
    const auto index = static_cast<std::size_t>(finding.phase);
    if (finding.phase < 0 || index >= scenario.phases.size()) continue;
    const scenario::Phase& phase = scenario.phases[index];
    if (!scenario::is_silent(phase) && phase.expect != finding.rule) continue;
    PhaseRecord& record = records[phase.name];
    record.findings.push_back({std::string(kOraclePart), finding.rule, finding.detail});
    record.finding_count += finding.count;
  }
}

/// Violations while no phase ran: during boot, or between two.
std::optional<Cause> judge_oracle(const Observation& seen) {
  if (!seen.oracle) return std::nullopt;
  if (!seen.oracle->complete)
    return Cause{Outcome::kInfra, Blame::kInfra, "the oracle's report is incomplete"};
  for (const OracleFinding& finding : seen.oracle->findings) {
    if (finding.phase < 0)
      return Cause{
          Outcome::kFail, Blame::kGuest,
          fmt::format("{} violated outside of the phases: {} (oracle)", finding.rule, finding.detail)};
  }
  return std::nullopt;
}

/// Only what the phases say can be known: a panic or a hang (`run_failed`) stays a failure.
void apply_known_failure(const scenario::Scenario& scenario, bool run_failed, Verdict& verdict) {
  if (scenario.known_failure.empty() || run_failed) return;
  if (verdict.outcome == Outcome::kFail) {
    verdict.outcome = Outcome::kKnownFailure;
    verdict.blame.reset();
    verdict.notes.push_back("known failure: " + scenario.known_failure);
  } else if (verdict.outcome == Outcome::kPass) {
    verdict.outcome = Outcome::kUnexpectedPass;
    verdict.blame = Blame::kScenario;
    verdict.reason = fmt::format("it passed, but is marked as a known failure ({}); remove the mark",
                                 scenario.known_failure);
  }
}

void add_notes(const std::map<std::string, PhaseRecord>& records, const Observation& seen, Verdict& verdict) {
  for (const auto& [phase, record] : records) {
    if (record.skipped)
      verdict.notes.push_back(fmt::format("phase {} was skipped: {}", phase, *record.skipped));
    for (const auto& [part, reason] : record.skipped_parts) {
      verdict.notes.push_back(fmt::format("{} was skipped in phase {}: {}", part, phase, reason));
    }
  }
  if (seen.first_start)
    verdict.notes.push_back("QEMU aborted while the guest booted, and was started again: " +
                            *seen.first_start);
  for (const ConsoleHit& hit : scan_console(seen.console))
    verdict.notes.push_back(fmt::format("console ({}): {}", hit.kind, hit.line));
}

}  // namespace

Verdict judge(const scenario::Scenario& scenario, const DetectorsByRule& detectors, const Observation& seen) {
  std::map<std::string, PhaseRecord> records = gather(seen.events);
  add_oracle(scenario, seen, records);
  for (const IdlePart& idle : seen.idle) records[idle.phase].skipped_parts[idle.part] = idle.reason;
  std::optional<Cause> cause = judge_run(scenario, seen);
  if (!cause) cause = judge_oracle(seen);
  std::vector<PhaseVerdict> phases;
  bool any_violated = false;
  for (const scenario::Phase& phase : scenario.phases) {
    const auto found = records.find(phase.name);
    const PhaseRecord record = found != records.end() ? found->second : PhaseRecord{};
    const bool is_violated = violated(phase, record);
    any_violated = any_violated || is_violated;
    // A phase that did not end is judged by what stopped the run, unless it had already failed.
    if (cause && !record.ended && !is_violated) {
      phases.push_back(
          {phase.name, cause->outcome == Outcome::kFail && !record.started ? Outcome::kInfra : cause->outcome,
           record.started ? cause->reason : "not reached: " + cause->reason});
    } else {
      phases.push_back(judge_phase(scenario, phase, detectors, record));
    }
  }
  Verdict verdict = combine(std::move(phases));
  if (cause && !any_violated) {
    verdict.outcome = cause->outcome;
    verdict.blame = cause->blame;
    verdict.reason = cause->reason;
  }
  add_notes(records, seen, verdict);
  apply_known_failure(scenario, cause.has_value(), verdict);
  return verdict;
}

}  // namespace luf::judge
