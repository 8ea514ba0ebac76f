#include "run/minimise.h"

#include <algorithm>

#include "protocol/event.h"
#include "run/record.h"
#include "scenario/trigger.h"

namespace luf::run {
namespace {

using scenario::Phase;
using scenario::Scenario;

constexpr std::uint64_t kLeastMemory = std::uint64_t{128} << 20U;
constexpr std::chrono::milliseconds kShortestPhase(20);

void erase_from(std::vector<std::string>& names, const std::string& name) {
  names.erase(std::remove(names.begin(), names.end(), name), names.end());
}

void add_phase_steps(const Phase& phase, std::vector<Step>& steps) {
  const auto add = [&](const std::string& name, std::function<void(Phase&)> leave_out) {
    steps.push_back(
        {fmt::format("{} in phase {}", name, phase.name), [of = phase.name, leave_out](Scenario& scenario) {
           for (Phase& each : scenario.phases)
             if (each.name == of) leave_out(each);
         }});
  };
  for (const auto& [name, percent] : phase.faults)
    add("fault " + name, [key = name](Phase& each) { each.faults.erase(key); });
  for (const auto& [name, length] : phase.delays)
    add("delay " + name, [key = name](Phase& each) { each.delays.erase(key); });
  for (const std::string& name : phase.points_off)
    add(name + " switched off", [name](Phase& each) { erase_from(each.points_off, name); });
}

/// One question: does the scenario fail in the same way, for one of a few seeds?
struct Asker {
  const Environment& environment;
  const Ready& ready;
  Job job;
  std::string fingerprint;
  std::int64_t tries;
  std::size_t workers;
  std::int64_t runs = 0;
  std::int64_t seed = 0;  ///< that failed last
  std::optional<report::Summary> summary = std::nullopt;

  Task<Result<bool>> fails(Scenario scenario) {
    Job changed = job;
    changed.scenario = std::move(scenario);
    Exploration exploration{changed, job.scenario.seed, tries, {}, workers};
    exploration.fingerprint = fingerprint;
    const Result<Explored> explored = co_await explore(environment, ready, exploration);
    if (!explored) co_return pass_on(explored);
    runs += explored->runs;
    if (!explored->violation) co_return false;
    seed = explored->seed;
    summary = explored->violation;
    co_return true;
  }
};

Scenario without(const Scenario& scenario, const std::vector<Step>& steps,
                 const std::vector<bool>& left_out) {
  Scenario less = scenario;
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (left_out[i]) steps[i].leave_out(less);
  return less;
}

Task<Result<bool>> ask(Asker& asker, const Scenario& scenario, const std::vector<Step>& steps,
                       std::vector<bool> left_out) {
  co_return co_await asker.fails(without(scenario, steps, left_out));
}

}  // namespace

std::vector<Step> steps_of(const Scenario& scenario, const std::string& detector, const std::string& phase) {
  std::vector<Step> steps;
  for (const scenario::Part& part : scenario.parts) {
    if (part.id == detector) continue;
    steps.push_back({fmt::format("{} {}", to_string(part.kind), part.id),
                     [id = part.id](Scenario& each) { scenario::leave_out_part(each, id); }});
  }
  for (const Phase& each : scenario.phases) {
    if (each.name != phase)
      steps.push_back({"phase " + each.name, [name = each.name](Scenario& other) {
                         std::erase_if(other.phases, [&name](const Phase& p) { return p.name == name; });
                       }});
    add_phase_steps(each, steps);
  }
  for (const std::string& name : scenario.kernel.points_on)
    steps.push_back(
        {name + " switched on", [name](Scenario& each) { erase_from(each.kernel.points_on, name); }});
  if (scenario.schedule.strategy != "none")
    steps.push_back({"schedule", [](Scenario& each) { each.schedule = {}; }});
  return steps;
}

std::vector<Step> smaller(const Scenario& scenario) {
  std::vector<Step> steps;
  const scenario::Machine& machine = scenario.machine;
  if (machine.cpus > 2 && machine.cpus / 2 >= machine.nodes)
    steps.push_back(
        {fmt::format("{} CPUs", machine.cpus / 2), [](Scenario& each) { each.machine.cpus /= 2; }});
  if (machine.nodes > 1) steps.push_back({"one node", [](Scenario& each) { each.machine.nodes = 1; }});
  if (machine.slow_memory > 0)
    steps.push_back({"no slow memory", [](Scenario& each) { each.machine.slow_memory = 0; }});
  if (machine.memory / 2 >= kLeastMemory)
    steps.push_back({"half the memory", [](Scenario& each) { each.machine.memory /= 2; }});
  const auto longer = [](const Phase& phase) { return phase.duration / 2 >= kShortestPhase; };
  if (std::any_of(scenario.phases.begin(), scenario.phases.end(), longer))
    steps.push_back({"half the time", [longer](Scenario& each) {
                       for (Phase& phase : each.phases)
                         if (longer(phase)) phase.duration /= 2;
                     }});
  return steps;
}

Task<Result<std::vector<bool>>> reduce(std::size_t count, const StillFails& still_fails) {
  std::vector<bool> out(count, false);
  for (std::size_t chunk = std::max<std::size_t>(count / 2, 1); count > 0;) {
    bool any = false;
    // From the end: what stands first in a scenario is more often what matters.
    for (std::size_t end = count; end > 0; end = end > chunk ? end - chunk : 0) {
      std::vector<bool> wider = out;
      std::fill(wider.begin() + static_cast<std::ptrdiff_t>(end > chunk ? end - chunk : 0),
                wider.begin() + static_cast<std::ptrdiff_t>(end), true);
      if (wider == out) continue;
      Task<Result<bool>> answer = still_fails(wider);
      const Result<bool> fails = co_await std::move(answer);
      if (!fails) co_return pass_on(fails);
      if (!*fails) continue;
      out = wider;
      any = true;
    }
    if (chunk == 1 && !any) break;
    if (chunk > 1) chunk /= 2;
  }
  co_return out;
}

Task<Result<Minimised>> minimise(const Environment& environment, const Ready& ready, const Job& job,
                                 const std::string& fingerprint, std::int64_t tries, std::size_t workers) {
  Asker asker{environment, ready, job, fingerprint, tries, workers};
  const Result<bool> at_all = co_await asker.fails(job.scenario);
  if (!at_all) co_return pass_on(at_all);
  if (!*at_all)
    co_return fail(Blame::kScenario, "{} does not fail in that way any more; nothing to minimise", job.name);
  const Result<std::vector<guest::Event>> told = findings_in(asker.summary->directory);
  if (!told) co_return pass_on(told);
  const auto same = [&](const guest::Event& event) { return run::fingerprint(event) == fingerprint; };
  const auto finding = std::find_if(told->begin(), told->end(), same);
  const std::vector<Step> steps = steps_of(job.scenario, finding->text("part"), finding->text("phase"));
  const StillFails still_fails = [&](const std::vector<bool>& left_out) {
    return ask(asker, job.scenario, steps, left_out);
  };
  const Result<std::vector<bool>> out = co_await reduce(steps.size(), still_fails);
  if (!out) co_return pass_on(out);
  const std::string detector = "detector " + finding->text("part");  // a step, too, which always stays
  Minimised result{without(job.scenario, steps, *out), {detector}, steps.size() + 1, 0, {}};
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (!(*out)[i]) result.kept.push_back(steps[i].name);
  for (bool any = true; any;) {
    any = false;
    for (const Step& step : smaller(result.scenario)) {
      Scenario less = result.scenario;
      step.leave_out(less);
      const Result<bool> fails = co_await asker.fails(less);
      if (!fails && fails.error().blame == Blame::kCancelled) co_return pass_on(fails);
      if (!fails || !*fails) continue;  // a machine too small to boot is no reason to stop
      result.scenario = less;
      any = true;
      break;
    }
  }
  const Result<bool> fails = co_await asker.fails(result.scenario);
  if (!fails) co_return pass_on(fails);
  result.scenario.seed = asker.seed;
  result.summary = *asker.summary;
  result.runs = asker.runs;
  co_return result;
}

}  // namespace luf::run
