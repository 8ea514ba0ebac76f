// The parts a guest image offers, as `luf-guest --describe` told them (parts.json).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace luf::scenario {

enum class PartKind { kWorkload, kInjector, kDetector };
std::string_view to_string(PartKind kind);

enum class ParamType { kCount, kDuration, kSize, kChoice, kText, kProgram };

/// A parameter's value as the plan carries it: nanoseconds, bytes or a plain count, or a choice or a text.
using ParamValue = std::variant<std::int64_t, std::string>;

struct Param {
  std::string name;
  ParamType type = ParamType::kCount;
  ParamValue fallback;               ///< used when a scenario does not set it
  std::int64_t min = 0;              ///< inclusive; not for choices
  std::int64_t max = 0;              ///< inclusive; not for choices
  std::vector<std::string> choices;  ///< only for choices
  std::string summary;
};

struct PartType {
  std::string name;
  PartKind kind = PartKind::kWorkload;
  std::vector<std::string> rules;  ///< of the contract, e.g. "R8"; only detectors have them
  std::string summary;
  std::vector<Param> params;
  bool on_host = false;  ///< an injector that acts on the machine from outside; the guest knows nothing of it
};

/// All parts of one image.
struct Catalog {
  std::vector<PartType> parts;
  /// The part of that kind and name, or null. Lives as long as the catalog.
  const PartType* find(PartKind kind, std::string_view name) const;
  std::vector<std::string> names(PartKind kind) const;
};

/// Reads the JSON of parts.json; `origin` names it in messages. Errors: infra.
Result<Catalog> parse_catalog(std::string_view json, const std::string& origin);

/// A value in the notation that scenario files use.
std::string format_value(ParamType type, const ParamValue& value);

}  // namespace luf::scenario
