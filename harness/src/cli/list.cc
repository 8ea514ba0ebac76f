#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "protocol/contract.h"
#include "scenario/contract.h"

namespace luf::cli {
namespace {

int list_points() {
  for (const protocol::FlushPoint& point : protocol::kFlushPoints) {
    fmt::print("{:<12} {:<3} {}\n", point.name, point.rules, point.summary);
  }
  return 0;
}

std::string range_of(const scenario::Param& param) {
  if (param.type == scenario::ParamType::kChoice) return fmt::format("{}", fmt::join(param.choices, " | "));
  if (param.type == scenario::ParamType::kText) return "a text";
  if (param.type == scenario::ParamType::kProgram) return "steps, docs/litmus.md";
  return fmt::format("{} to {}", format_value(param.type, param.min), format_value(param.type, param.max));
}

int list_parts(const scenario::Catalog& catalog) {
  for (const scenario::PartType& part : catalog.parts) {
    const std::string rules = part.rules.empty() ? "" : fmt::format(" [{}]", fmt::join(part.rules, ", "));
    fmt::print("{} {}{}: {}\n", to_string(part.kind), part.name, rules, part.summary);
    for (const scenario::Param& param : part.params) {
      fmt::print("    {:<14} {:<10} {} ({})\n", param.name, format_value(param.type, param.fallback),
                 param.summary, range_of(param));
    }
  }
  return 0;
}

int list_scenarios(const std::vector<std::string>& paths, const scenario::Catalog& catalog) {
  const Result<std::vector<run::Job>> jobs = load_jobs(paths, catalog);
  if (!jobs) return report_error(jobs.error());
  for (const run::Job& job : *jobs) fmt::print("{:<24} {}\n", job.name, job.scenario.title);
  return 0;
}

/// The tables of docs/contract.md; 1 when an entry is bound to nothing.
int list_contract(const std::vector<std::string>& paths, const scenario::Catalog& catalog) {
  const Result<std::vector<run::Job>> jobs = load_jobs(paths, catalog);
  if (!jobs) return report_error(jobs.error());
  const std::vector<scenario::Proof> proofs = proofs_among(*jobs);
  fmt::print("{}", scenario::contract_tables(catalog, proofs));
  const std::vector<std::string> unbound = scenario::unbound_entries(catalog, proofs);
  for (const std::string& defect : unbound) fmt::print(stderr, "unbound: {}\n", defect);
  return unbound.empty() ? 0 : 1;
}

int execute(const std::string& what, const std::vector<std::string>& paths, const Locations& locations) {
  if (what == "points") return list_points();
  const Result<artifact::Image> image = artifact::image_in(locations.image());
  if (!image) return report_error(image.error());
  const Result<scenario::Catalog> catalog = load_catalog(*image);
  if (!catalog) return report_error(catalog.error());
  if (what == "contract") return list_contract(paths, *catalog);
  return what == "parts" ? list_parts(*catalog) : list_scenarios(paths, *catalog);
}

}  // namespace

void add_list(CLI::App& app, Action& action) {
  struct Options {
    std::string what;
    std::vector<std::string> paths{"scenarios"};
    Locations locations;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("list", "List scenarios, parts, flush points or the contract");
  command
      ->add_option("what", options->what,
                   "scenarios, parts, points, or contract: the tables of docs/contract.md")
      ->required()
      ->check(CLI::IsMember({"scenarios", "parts", "points", "contract"}));
  command->add_option("paths", options->paths, "Where to look for scenarios")->capture_default_str();
  options->locations.add_options(*command);
  command->callback([options, &action] {
    action = [options] { return execute(options->what, options->paths, options->locations); };
  });
}

}  // namespace luf::cli
