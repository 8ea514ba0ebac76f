#include "scenario/catalog.h"

#include <nlohmann/json.hpp>

#include "base/units.h"

namespace luf::scenario {
namespace {

using nlohmann::json;

PartKind kind_of(const std::string& text) {
  if (text == "workload") return PartKind::kWorkload;
  if (text == "injector") return PartKind::kInjector;
  if (text == "detector") return PartKind::kDetector;
  throw json::other_error::create(501, "unknown kind \"" + text + "\"", nullptr);
}

ParamType type_of(const std::string& text) {
  if (text == "count") return ParamType::kCount;
  if (text == "duration") return ParamType::kDuration;
  if (text == "size") return ParamType::kSize;
  if (text == "choice") return ParamType::kChoice;
  if (text == "text") return ParamType::kText;
  if (text == "program") return ParamType::kProgram;
  throw json::other_error::create(502, "unknown type \"" + text + "\"", nullptr);
}

Param param_of(const json& from) {
  Param param;
  param.name = from.at("name").get<std::string>();
  param.type = type_of(from.at("type").get<std::string>());
  param.summary = from.value("summary", "");
  if (param.type == ParamType::kChoice) {
    param.fallback = from.at("default").get<std::string>();
    param.choices = from.at("choices").get<std::vector<std::string>>();
  } else if (param.type == ParamType::kText || param.type == ParamType::kProgram) {
    param.fallback = from.at("default").get<std::string>();
  } else {
    param.fallback = from.at("default").get<std::int64_t>();
    param.min = from.at("min").get<std::int64_t>();
    param.max = from.at("max").get<std::int64_t>();
  }
  return param;
}

PartType part_of(const json& from) {
  PartType part;
  part.name = from.at("name").get<std::string>();
  part.kind = kind_of(from.at("kind").get<std::string>());
  part.rules = from.value("rules", std::vector<std::string>{});
  part.summary = from.value("summary", "");
  for (const json& param : from.at("params")) part.params.push_back(param_of(param));
  return part;
}

}  // namespace

std::string_view to_string(PartKind kind) {
  switch (kind) {
    case PartKind::kWorkload:
      return "workload";
    case PartKind::kInjector:
      return "injector";
    case PartKind::kDetector:
      return "detector";
  }
  return "part";
}

const PartType* Catalog::find(PartKind kind, std::string_view name) const {
  for (const PartType& part : parts) {
    if (part.kind == kind && part.name == name) return &part;
  }
  return nullptr;
}

std::vector<std::string> Catalog::names(PartKind kind) const {
  std::vector<std::string> result;
  for (const PartType& part : parts) {
    if (part.kind == kind) result.push_back(part.name);
  }
  return result;
}

Result<Catalog> parse_catalog(std::string_view text, const std::string& origin) {
  try {
    Catalog catalog;
    const json document = json::parse(text);
    for (const json& part : document.at("parts")) catalog.parts.push_back(part_of(part));
    return catalog;
  } catch (const json::exception& error) {
    return fail(Blame::kInfra, "cannot read the list of parts in {}: {}", origin, error.what());
  }
}

std::string format_value(ParamType type, const ParamValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const std::int64_t number = std::get<std::int64_t>(value);
  if (type == ParamType::kDuration) return format_duration(Nanoseconds(number));
  if (type == ParamType::kSize) return format_size(static_cast<std::uint64_t>(number));
  return std::to_string(number);
}

}  // namespace luf::scenario
