#include "scenario/parse.h"

#include <algorithm>
#include <limits>
#include <set>

#include "base/nearest.h"
#include "protocol/contract.h"
#include "protocol/event.h"
#include "protocol/luf_sysfs.h"
#include "scenario/plan.h"
#include "scenario/toml_reader.h"
#include "scenario/trigger.h"

namespace luf::scenario {
namespace {

constexpr std::int64_t kMicrosecond = 1000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::int64_t kMiB = std::int64_t{1} << 20U;
constexpr std::int64_t kAnyCount = std::numeric_limits<std::int64_t>::max();

std::vector<std::string> point_names() {
  std::vector<std::string> names;
  for (const protocol::FlushPoint& point : protocol::kFlushPoints) names.emplace_back(point.name);
  return names;
}

std::vector<std::string> set_names() { return {protocol::kPointSets.begin(), protocol::kPointSets.end()}; }

void read_machine(TomlReader reader, ReadLog& log, Machine& machine) {
  reader.count("cpus", machine.cpus, {1, 16});
  reader.size("memory", machine.memory, {128 * kMiB, 2048 * kMiB});
  reader.count("nodes", machine.nodes, {1, 8});
  reader.size("slow_memory", machine.slow_memory, {64 * kMiB, 1024 * kMiB});
  reader.choice("accel", machine.accel, {"auto", "tcg", "kvm"});
  reader.count("icount", machine.icount, {0, 7});
  if (machine.icount && machine.accel == "kvm")
    log.defect(reader.where("icount"), "\"machine.icount\" needs emulation; set \"machine.accel\" to tcg");
  reader.duration("boot_deadline", machine.boot_deadline, {kSecond, kDay});
  reader.duration("stall_deadline", machine.stall_deadline, {kSecond, kDay});
  reader.finish();
}

void read_kernel(TomlReader reader, Kernel& kernel) {
  reader.choice("luf", kernel.luf, {"as-is", "on", "off"});
  reader.choice("points", kernel.points, set_names());
  reader.texts("points_off", kernel.points_off, point_names());
  reader.texts("points_on", kernel.points_on, point_names());
  reader.flag("batching", kernel.batching);
  reader.duration("age", kernel.age, {0, kDay});
  reader.count("pending_max", kernel.pending_max, {0, kAnyCount});
  reader.text("cmdline", kernel.cmdline);
  reader.finish();
}

void read_schedule(TomlReader reader, ReadLog& log, const Machine& machine, Schedule& schedule) {
  reader.choice("strategy", schedule.strategy, {"none", "windows", "turns", "pct", "bounded", "stall"});
  reader.count("depth", schedule.depth, {1, 16});
  reader.count("steps", schedule.steps, {1, kAnyCount});
  reader.texts("points", schedule.points, {});
  if (schedule.steered() && !machine.icount)
    log.defect(
        reader.where("strategy"),
        fmt::format("\"schedule.strategy\" {} needs virtual CPUs that take turns; set \"machine.icount\"",
                    schedule.strategy));
  reader.finish();
}

void read_faults(const toml::table& table, ReadLog& log, Phase& phase) {
  TomlReader reader(table, "phase.faults.", log);
  std::vector<std::string> names = point_names();
  for (const protocol::Fault& fault : protocol::kFaults) names.emplace_back(fault.name);
  for (const std::string& name : names) {
    std::optional<std::int64_t> percent;
    reader.count(name, percent, {1, 100});
    if (percent) phase.faults[name] = *percent;
  }
  reader.finish();
}

void read_delays(const toml::table& table, ReadLog& log, Phase& phase) {
  TomlReader reader(table, "phase.delays.", log);
  for (const std::string_view name : protocol::kDelays) {
    std::optional<Nanoseconds> length;
    reader.duration(std::string(name), length, {kMicrosecond, 10 * kMillisecond});
    if (length) phase.delays[std::string(name)] = *length;
  }
  reader.finish();
}

void read_phase(TomlReader reader, const toml::table& table, ReadLog& log, Phase& phase) {
  reader.required_text("name", phase.name);
  reader.required_duration("duration", phase.duration, {kMillisecond, kDay});
  reader.text("expect", phase.expect);
  reader.flag("whole", phase.whole);
  reader.texts("points_off", phase.points_off, point_names());
  if (const toml::table* faults = reader.table("faults")) read_faults(*faults, log, phase);
  if (const toml::table* delays = reader.table("delays")) read_delays(*delays, log, phase);
  reader.counts("at_least", phase.at_least);
  reader.finish();
  if (table.contains("name") && phase.name.empty())
    log.defect(reader.where("name"), "\"phase.name\" is empty");
}

void read_part(const toml::table& table, PartKind kind, const Catalog& catalog, const Machine& machine,
               ReadLog& log, Part& part) {
  const std::string kind_name(to_string(kind));
  TomlReader reader(table, kind_name + ".", log);
  part.kind = kind;
  reader.required_text("name", part.name);
  part.id = part.name;
  reader.text("id", part.id);
  if (part.name.empty()) return;
  const PartType* type = catalog.find(kind, part.name);
  if (type == nullptr) {
    const std::vector<std::string> names = catalog.names(kind);
    log.defect(reader.where("name"), fmt::format("unknown {} \"{}\"{}; `lufbed list parts` shows all",
                                                 kind_name, part.name, did_you_mean(part.name, names)));
    return;
  }
  part.on_host = type->on_host;
  if (part.on_host && machine.icount)
    log.defect(
        reader.where("name"),
        fmt::format("the host's injector \"{}\" makes a deterministic run another one each time; leave out "
                    "\"machine.icount\"",
                    part.name));
  for (const Param& param : type->params) {
    ParamValue value = param.fallback;
    reader.param(param, value);
    part.params[param.name] = value;
  }
  reader.finish();
}

void check_ids(const std::vector<const toml::table*>& where, const Scenario& scenario, ReadLog& log) {
  std::set<std::string> ids;
  for (std::size_t i = 0; i < scenario.parts.size(); ++i) {
    const Part& part = scenario.parts[i];
    if (!part.id.empty() && !ids.insert(part.id).second) {
      log.defect(*where[i],
                 fmt::format("the id \"{}\" is used twice; give one of the parts another id", part.id));
    }
  }
}

void check_triggers(const std::vector<const toml::table*>& where, const Scenario& scenario, ReadLog& log) {
  const auto tell = [&](std::size_t part, const std::string& problem) {
    const toml::node* node = where[part]->get(kOn);
    log.defect(node != nullptr ? *node : *where[part], fmt::format("\"injector.{}\": {}", kOn, problem));
  };
  bool told = false;
  for (std::size_t i = 0; i < scenario.parts.size(); ++i) {
    const Part& part = scenario.parts[i];
    const std::string problem = part.on_host ? trigger_problem(scenario, part) : std::string();
    if (problem.empty()) continue;
    tell(i, problem);
    told = true;
  }
  if (told) return;
  const std::vector<std::string> never = never_begin(scenario);
  if (never.empty()) return;
  const auto first = std::find_if(scenario.parts.begin(), scenario.parts.end(),
                                  [&never](const Part& part) { return part.id == never.front(); });
  tell(static_cast<std::size_t>(first - scenario.parts.begin()),
       fmt::format("each of {} waits for an effect of another of them, so none begins; let one begin on "
                   "\"{}\"",
                   fmt::join(never, ", "), protocol::event::kPhaseStart));
}

void check_expectations(const std::vector<const toml::table*>& tables, const Scenario& scenario,
                        const Catalog& catalog, ReadLog& log) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < scenario.phases.size(); ++i) {
    const Phase& phase = scenario.phases[i];
    if (!phase.name.empty() && !names.insert(phase.name).second) {
      log.defect(*tables[i], fmt::format("two phases have the name \"{}\"; rename one", phase.name));
    }
    if (is_silent(phase) || phase.expect == kAny || !detectors_of(scenario, catalog, phase.expect).empty())
      continue;
    const toml::node* node = tables[i]->get("expect");
    log.defect(node != nullptr ? *node : *tables[i],
               fmt::format("no detector of this scenario can find \"{}\"; add one (`lufbed list parts`) or "
                           "expect \"silent\"",
                           phase.expect));
  }
}

void read_phases(TomlReader& root, const toml::table& document, Scenario& scenario, const Catalog& catalog,
                 ReadLog& log) {
  const std::vector<const toml::table*> tables = root.tables("phase");
  if (tables.empty()) log.defect(document, "no phase; add a table [[phase]] with name and duration");
  for (const toml::table* table : tables) {
    Phase& phase = scenario.phases.emplace_back();
    phase.points_off = scenario.kernel.points_off;
    read_phase(TomlReader(*table, "phase.", log), *table, log, phase);
  }
  check_expectations(tables, scenario, catalog, log);
}

void read_document(const toml::table& document, const Catalog& catalog, ReadLog& log, Scenario& scenario) {
  TomlReader root(document, "", log);
  root.required_text("title", scenario.title);
  root.count("seed", scenario.seed, {0, kAnyCount});
  root.text("known_failure", scenario.known_failure);
  if (const toml::table* table = root.table("machine")) {
    read_machine(TomlReader(*table, "machine.", log), log, scenario.machine);
    if (scenario.machine.cpus < scenario.machine.nodes)
      log.defect(*table, "more NUMA nodes than CPUs; lower \"machine.nodes\"");
  }
  if (const toml::table* table = root.table("kernel"))
    read_kernel(TomlReader(*table, "kernel.", log), scenario.kernel);
  if (const toml::table* table = root.table("schedule"))
    read_schedule(TomlReader(*table, "schedule.", log), log, scenario.machine, scenario.schedule);
  std::vector<const toml::table*> where;
  for (const PartKind kind : {PartKind::kWorkload, PartKind::kInjector, PartKind::kDetector}) {
    for (const toml::table* table : root.tables(std::string(to_string(kind)))) {
      where.push_back(table);
      read_part(*table, kind, catalog, scenario.machine, log, scenario.parts.emplace_back());
    }
  }
  check_ids(where, scenario, log);
  check_triggers(where, scenario, log);
  read_phases(root, document, scenario, catalog, log);
  root.finish();
}

}  // namespace

Result<Scenario> parse(std::string_view text, const std::string& file, const Catalog& catalog) {
  ReadLog log{file, {}, {}};
  Scenario scenario;
  try {
    const toml::table document = toml::parse(text, file);
    read_document(document, catalog, log, scenario);
  } catch (const toml::parse_error& error) {
    return fail(Blame::kScenario, "{}:{}: {}", file, error.source().begin.line, error.description());
  }
  if (!log.defects.empty()) return fail(Blame::kScenario, "{}", fmt::join(log.defects, "\n"));
  return scenario;
}

std::vector<std::string> all_keys() {
  constexpr std::string_view kEveryTable =
      "[machine]\n[kernel]\n[schedule]\n[[phase]]\n[[workload]]\n[[injector]]\n[[detector]]\n";
  ReadLog log;
  Scenario scenario;
  const toml::table document = toml::parse(kEveryTable);
  read_document(document, Catalog{}, log, scenario);
  std::sort(log.keys.begin(), log.keys.end());
  log.keys.erase(std::unique(log.keys.begin(), log.keys.end()), log.keys.end());
  return log.keys;
}

}  // namespace luf::scenario
