#include "run/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "scenario/contract.h"

namespace luf::run {
namespace {

constexpr Nanoseconds kLeastSilence = std::chrono::seconds(1);

/// Each fault once, as the first scenario made for it plants it.
std::map<std::string, scenario::Phase> faults_of(const std::vector<Job>& proofs) {
  std::map<std::string, scenario::Phase> faults;
  for (const Job& proof : proofs) {
    for (const scenario::Phase& phase : proof.scenario.phases) {
      if (!scenario::is_silent(phase)) faults.emplace(scenario::fault_name(proof.scenario, phase), phase);
    }
  }
  return faults;
}

void plant_the_others(const std::map<std::string, scenario::Phase>& faults, Nanoseconds duration, Job& job) {
  std::vector<std::string> own;
  for (const scenario::Phase& phase : job.scenario.phases)
    own.push_back(scenario::fault_name(job.scenario, phase));
  for (const auto& [name, fault] : faults) {
    if (std::find(own.begin(), own.end(), name) != own.end()) continue;
    scenario::Phase& phase = job.scenario.phases.emplace_back(fault);
    phase.name = "also " + name;
    phase.duration = duration;
    phase.expect = scenario::kAny;
    phase.at_least.clear();
  }
}

/// What a phase must have done at least is said for its own duration: in less time less is asked, but never nothing.
void shorten(Nanoseconds duration, scenario::Phase& phase) {
  if (duration < phase.duration) {
    const double share = static_cast<double>(duration.count()) / static_cast<double>(phase.duration.count());
    for (auto& [counter, least] : phase.at_least)
      least = std::max<std::int64_t>(static_cast<std::int64_t>(static_cast<double>(least) * share), 1);
  }
  phase.duration = duration;
}

void set_silence(const Nanoseconds each, Job& job) {
  for (scenario::Phase& phase : job.scenario.phases) {
    if (scenario::is_silent(phase)) shorten(std::max(each, kLeastSilence), phase);
  }
}

/// Leaves the phases without a fault.
void keep_silence(Job& job) {
  std::erase_if(job.scenario.phases,
                [](const scenario::Phase& phase) { return !scenario::is_silent(phase); });
}

/// LUF off, nothing asked of the series, and no activity expected of it.
void switch_off(Job& job) {
  scenario::Kernel off;
  off.luf = "off";
  off.cmdline = job.scenario.kernel.cmdline;
  job.scenario.kernel = off;
  keep_silence(job);
  for (scenario::Phase& phase : job.scenario.phases) {
    phase.delays.clear();
    std::erase_if(phase.at_least, [](const auto& least) { return least.first.starts_with("luf_"); });
  }
  // What only the series has.
  std::erase_if(job.scenario.parts,
                [](const scenario::Part& part) { return part.name == "drain" || part.name == "tlb_check"; });
}

bool is_injector(const scenario::Part& part) { return part.kind == scenario::PartKind::kInjector; }

void throttle(Job& job) {
  keep_silence(job);
  std::erase_if(job.scenario.parts, is_injector);
}

/// All who can see something get the same time for it, and the kernel's checks are asked, too.
void let_all_speak(const MatrixPlan& plan, Job& job) {
  for (scenario::Phase& phase : job.scenario.phases) {
    if (scenario::is_silent(phase)) continue;
    phase.duration = plan.foreign;
    phase.whole = true;
  }
  if (job.scenario.kernel.luf == "off") return;  // its checks look at what the series does
  for (const scenario::Part& witness : plan.witnesses) {
    const bool there =
        std::any_of(job.scenario.parts.begin(), job.scenario.parts.end(),
                    [&witness](const scenario::Part& part) { return part.name == witness.name; });
    if (!there) job.scenario.parts.push_back(witness);
  }
}

bool belongs(const Job& proof, MatrixKind kind) {
  return kind != MatrixKind::kIdle ||
         std::any_of(proof.scenario.parts.begin(), proof.scenario.parts.end(), is_injector);
}

std::int64_t silent_phases(const std::vector<Job>& proofs) {
  std::int64_t count = 0;
  for (const Job& proof : proofs)
    count += std::count_if(proof.scenario.phases.begin(), proof.scenario.phases.end(), scenario::is_silent);
  return count;
}

}  // namespace

std::vector<Job> matrix_jobs(const std::vector<Job>& proofs, const MatrixPlan& plan) {
  const std::map<std::string, scenario::Phase> faults = faults_of(proofs);
  const std::int64_t silences = std::max<std::int64_t>(silent_phases(proofs) * plan.seeds, 1);
  std::vector<Job> jobs;
  for (std::int64_t round = 0; round < plan.seeds; ++round) {
    for (const Job& proof : proofs) {
      if (!belongs(proof, plan.kind)) continue;
      Job& job = jobs.emplace_back(proof);
      job.scenario.seed = plan.first_seed + round;
      if (plan.silent) set_silence(*plan.silent / silences, job);
      if (plan.full) plant_the_others(faults, plan.foreign, job);
      if (plan.kind == MatrixKind::kNoFaults) keep_silence(job);
      if (plan.kind == MatrixKind::kBaseline) switch_off(job);
      if (plan.kind == MatrixKind::kIdle) throttle(job);
      if (plan.kind == MatrixKind::kAgreement) let_all_speak(plan, job);
      if (plan.silent || plan.full || plan.kind != MatrixKind::kFaults)
        job.file.clear();  // no file holds just this
    }
  }
  return jobs;
}

}  // namespace luf::run
