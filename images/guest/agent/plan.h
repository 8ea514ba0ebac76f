// The plan as the agent runs it (docs/guest-protocol.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/part_context.h"

namespace luf::guest {

struct Setting {
  std::string path;
  std::string value;
  bool optional = false;  ///< left out where the path does not exist
};

struct PlannedPart {
  std::string id;
  std::string kind;
  std::string name;
  ParamValues params;
};

struct Phase {
  std::string name;
  std::uint64_t duration_ms = 0;
  bool stop_at_finding = false;
  bool needs_luf = false;
  std::vector<Setting> settings;
  std::vector<PlannedPart> parts;
};

struct Plan {
  std::string scenario;
  std::uint64_t seed = 0;
  bool exact_time = false;    ///< guest time does not pass while the host runs something else
  bool end_by_reset = false;  ///< after `done` the guest stops itself, at an instruction of its own choice
  std::vector<Phase> phases;
};

/// Reads the JSON text of a plan into `plan`. Returns what is wrong with it, empty when all is well. It is
/// all or nothing: a plan with an unknown version, stop or need is refused.
std::string parse_plan(std::string_view text, Plan& plan);

enum class PlanState { absent, be_template, damaged, present };

/// Looks at the plan device's memory: `be_template` asks the guest to stop and wait; `present` fills `text`, `damaged` fills `problem` (length or CRC).
PlanState read_plan_device(std::span<const std::byte> device, std::string& text, std::string& problem);

}  // namespace luf::guest
