// Scenario files: from TOML to checked data, and back.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"

namespace luf::scenario {

/// Reads and checks a scenario; `file` names it in messages. Every defect is reported, each as
/// "file:line: what; what to do", one a line. Errors: scenario. Thread: any.
Result<Scenario> parse(std::string_view toml, const std::string& file, const Catalog& catalog);

/// The scenario as TOML with every default written out; `parse` reads it back to the same data.
std::string to_toml(const Scenario& scenario, const Catalog& catalog);

/// Every key the parser knows, as docs/scenario-format.md writes it ("machine.cpus").
std::vector<std::string> all_keys();

}  // namespace luf::scenario
