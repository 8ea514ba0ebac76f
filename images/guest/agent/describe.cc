#include "agent/describe.h"

#include <nlohmann/json.hpp>

#include "lib/part.h"

namespace luf::guest {

namespace {

using Json = nlohmann::ordered_json;

Json describe_param(const Param& param) {
  Json out;
  out["name"] = param.name;
  out["type"] = type_name(param.type);
  if (param.type == ParamType::choice) {
    out["default"] = param.default_choice;
    out["choices"] = Json::array();
    for (std::string_view choice : param.choices) out["choices"].push_back(choice);
  } else if (param.type == ParamType::text || param.type == ParamType::program) {
    out["default"] = param.default_choice;
  } else {
    out["default"] = param.default_number;
    out["min"] = param.min;
    out["max"] = param.max;
  }
  out["summary"] = param.summary;
  return out;
}

}  // namespace

std::string describe_parts() {
  Json root;
  root["parts"] = Json::array();
  for (const Part* part : part_table()) {
    Json out;
    out["name"] = part->name;
    out["kind"] = kind_name(part->kind);
    out["rules"] = Json::array();
    for (std::string_view rule : part->rules) out["rules"].push_back(rule);
    out["summary"] = part->summary;
    out["params"] = Json::array();
    for (const Param& param : part->params) out["params"].push_back(describe_param(param));
    root["parts"].push_back(std::move(out));
  }
  return root.dump(2) + "\n";
}

}  // namespace luf::guest
