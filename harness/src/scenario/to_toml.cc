#include <nlohmann/json.hpp>

#include "scenario/parse.h"

namespace luf::scenario {
namespace {

/// A basic TOML string; its escapes are those of JSON.
std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

std::string list(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) parts.push_back(quoted(text));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string phase_text(const Phase& phase) {
  std::vector<std::string> counts;
  for (const auto& [name, value] : phase.at_least)
    counts.push_back(fmt::format("{} = {}", quoted(name), value));
  std::vector<std::string> faults;
  std::vector<std::string> delays;
  for (const auto& [name, percent] : phase.faults) faults.push_back(fmt::format("{} = {}", name, percent));
  for (const auto& [name, length] : phase.delays)
    delays.push_back(fmt::format("{} = {}", name, quoted(format_duration(length))));
  return fmt::format(
      "\n[[phase]]\nname = {}\nduration = {}\nexpect = {}\n{}points_off = {}\nfaults = {{ {} }}\ndelays = {{ "
      "{} }}\nat_least = {{ {} }}\n",
      quoted(phase.name), quoted(format_duration(phase.duration)), quoted(phase.expect),
      phase.whole ? fmt::format("whole = {}\n", *phase.whole) : "", list(phase.points_off),
      fmt::join(faults, ", "), fmt::join(delays, ", "), fmt::join(counts, ", "));
}

std::string part_text(const Part& part, const Catalog& catalog) {
  std::string text =
      fmt::format("\n[[{}]]\nname = {}\nid = {}\n", to_string(part.kind), quoted(part.name), quoted(part.id));
  const PartType* type = catalog.find(part.kind, part.name);
  if (type == nullptr) return text;
  for (const Param& param : type->params) {
    const auto value = part.params.find(param.name);
    if (value == part.params.end()) continue;
    const std::string plain = format_value(param.type, value->second);
    text += fmt::format("{} = {}\n", param.name, param.type == ParamType::kCount ? plain : quoted(plain));
  }
  return text;
}

}  // namespace

std::string to_toml(const Scenario& scenario, const Catalog& catalog) {
  const Machine& machine = scenario.machine;
  const Kernel& kernel = scenario.kernel;
  std::string text = fmt::format("title = {}\nseed = {}\nknown_failure = {}\n", quoted(scenario.title),
                                 scenario.seed, quoted(scenario.known_failure));
  text += fmt::format(
      "\n[machine]\ncpus = {}\nmemory = {}\nnodes = {}\naccel = {}\nboot_deadline = {}\nstall_deadline = "
      "{}\n",
      machine.cpus, quoted(format_size(machine.memory)), machine.nodes, quoted(machine.accel),
      quoted(format_duration(machine.boot_deadline)), quoted(format_duration(machine.stall_deadline)));
  if (machine.slow_memory > 0)
    text += fmt::format("slow_memory = {}\n", quoted(format_size(machine.slow_memory)));
  if (machine.icount) text += fmt::format("icount = {}\n", *machine.icount);
  text +=
      fmt::format("\n[kernel]\nluf = {}\npoints = {}\npoints_off = {}\ncmdline = {}\n", quoted(kernel.luf),
                  quoted(kernel.points), list(kernel.points_off), quoted(kernel.cmdline));
  if (!kernel.points_on.empty()) text += fmt::format("points_on = {}\n", list(kernel.points_on));
  if (kernel.batching) text += fmt::format("batching = {}\n", *kernel.batching);
  if (kernel.age) text += fmt::format("age = {}\n", quoted(format_duration(*kernel.age)));
  if (kernel.pending_max) text += fmt::format("pending_max = {}\n", *kernel.pending_max);
  const Schedule& schedule = scenario.schedule;
  if (schedule.strategy != "none")
    text += fmt::format("\n[schedule]\nstrategy = {}\ndepth = {}\nsteps = {}\npoints = {}\n",
                        quoted(schedule.strategy), schedule.depth, schedule.steps, list(schedule.points));
  for (const Phase& phase : scenario.phases) text += phase_text(phase);
  for (const Part& part : scenario.parts) text += part_text(part, catalog);
  return text;
}

}  // namespace luf::scenario
