#include "scenario/toml_reader.h"

#include <algorithm>

#include "base/nearest.h"
#include "protocol/litmus_parse.h"

namespace luf::scenario {

void ReadLog::defect(const toml::node& where, std::string_view text) {
  defects.push_back(
      fmt::format("{}:{}: {}", file, std::max<std::uint32_t>(where.source().begin.line, 1), text));
}

const toml::node* TomlReader::find(const std::string& key) {
  asked_.insert(key);
  log_.keys.push_back(prefix_ + key);
  return table_.get(key);
}

const toml::node& TomlReader::where(const std::string& key) const {
  const toml::node* node = table_.get(key);
  return node != nullptr ? *node : table_;
}

void TomlReader::wrong_type(const toml::node& node, const std::string& key, std::string_view wanted) {
  log_.defect(node, fmt::format("\"{}{}\" must be {}", prefix_, key, wanted));
}

void TomlReader::missing(const std::string& key, std::string_view example) {
  log_.defect(table_, fmt::format("\"{}{}\" is missing; add e.g. {} = {}", prefix_, key, key, example));
}

void TomlReader::text(const std::string& key, std::string& target) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (const auto* value = node->as_string()) {
    target = value->get();
  } else {
    wrong_type(*node, key, "a text in quotes");
  }
}

void TomlReader::required_text(const std::string& key, std::string& target) {
  text(key, target);
  if (table_.get(key) == nullptr) missing(key, "\"...\"");
}

void TomlReader::flag(const std::string& key, std::optional<bool>& target) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (const auto* value = node->as_boolean()) {
    target = value->get();
  } else {
    wrong_type(*node, key, "true or false, without quotes");
  }
}

std::optional<std::int64_t> TomlReader::number(const std::string& key, ParamType type, Range range) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  std::int64_t value = 0;
  if (type == ParamType::kCount) {
    const auto* integer = node->as_integer();
    if (integer == nullptr) return wrong_type(*node, key, "a whole number without quotes"), std::nullopt;
    value = integer->get();
  } else {
    const auto* text = node->as_string();
    const bool is_size = type == ParamType::kSize;
    if (text == nullptr) {
      wrong_type(*node, key,
                 is_size ? "a size with its unit in quotes, e.g. \"4KiB\""
                         : "a duration with its unit in quotes, e.g. \"30s\"");
      return std::nullopt;
    }
    Result<std::int64_t> parsed =
        is_size
            ? parse_size(text->get()).map([](std::uint64_t bytes) {
                return static_cast<std::int64_t>(bytes);
              })
            : parse_duration(text->get()).map([](Nanoseconds time) { return std::int64_t{time.count()}; });
    if (!parsed) {
      log_.defect(*node, fmt::format("\"{}{}\": {}", prefix_, key, parsed.error().message));
      return std::nullopt;
    }
    value = *parsed;
  }
  if (value < range.min || value > range.max) {
    log_.defect(*node,
                fmt::format("\"{}{}\" is {}; it must be {} to {}", prefix_, key, format_value(type, value),
                            format_value(type, range.min), format_value(type, range.max)));
    return std::nullopt;
  }
  return value;
}

void TomlReader::count(const std::string& key, std::int64_t& target, Range range) {
  target = number(key, ParamType::kCount, range).value_or(target);
}

void TomlReader::count(const std::string& key, std::optional<std::int64_t>& target, Range range) {
  if (const auto value = number(key, ParamType::kCount, range)) target = value;
}

void TomlReader::duration(const std::string& key, Nanoseconds& target, Range range) {
  if (const auto value = number(key, ParamType::kDuration, range)) target = Nanoseconds(*value);
}

void TomlReader::duration(const std::string& key, std::optional<Nanoseconds>& target, Range range) {
  if (const auto value = number(key, ParamType::kDuration, range)) target = Nanoseconds(*value);
}

void TomlReader::required_duration(const std::string& key, Nanoseconds& target, Range range) {
  duration(key, target, range);
  if (table_.get(key) == nullptr) missing(key, "\"30s\"");
}

void TomlReader::size(const std::string& key, std::uint64_t& target, Range range) {
  if (const auto value = number(key, ParamType::kSize, range)) target = static_cast<std::uint64_t>(*value);
}

void TomlReader::choice(const std::string& key, std::string& target,
                        const std::vector<std::string>& choices) {
  std::string value = target;
  text(key, value);
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) {
    target = value;
  } else {
    log_.defect(where(key), fmt::format("\"{}{}\" is \"{}\"; use one of {}", prefix_, key, value,
                                        fmt::join(choices, ", ")));
  }
}

void TomlReader::texts(const std::string& key, std::vector<std::string>& target,
                       const std::vector<std::string>& choices) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) return wrong_type(*node, key, "a list of texts, e.g. [\"unmap\"]");
  target.clear();
  for (const toml::node& element : *array) {
    const auto* value = element.as_string();
    if (value == nullptr) {
      wrong_type(element, key, "a list of texts");
    } else if (!choices.empty() && std::find(choices.begin(), choices.end(), value->get()) == choices.end()) {
      log_.defect(element, fmt::format("\"{}{}\": unknown name \"{}\"{}; use {}", prefix_, key, value->get(),
                                       did_you_mean(value->get(), choices), fmt::join(choices, ", ")));
    } else {
      target.push_back(value->get());
    }
  }
}

void TomlReader::numbers(const std::string& key, std::vector<std::int64_t>& target, Range range) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) return wrong_type(*node, key, "a list of whole numbers, e.g. [2, 4]");
  target.clear();
  for (const toml::node& element : *array) {
    const auto* value = element.as_integer();
    if (value == nullptr || value->get() < range.min || value->get() > range.max) {
      wrong_type(element, key, fmt::format("a list of whole numbers, each {} to {}", range.min, range.max));
    } else {
      target.push_back(value->get());
    }
  }
}

void TomlReader::counts(const std::string& key, std::map<std::string, std::int64_t>& target) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::table* inner = node->as_table();
  if (inner == nullptr) return wrong_type(*node, key, "a table of counts, e.g. { loads = 1000 }");
  for (const auto& [name, value] : *inner) {
    const auto* integer = value.as_integer();
    if (integer == nullptr || integer->get() < 0) {
      wrong_type(value, key + "." + std::string(name.str()), "a whole number, 0 or more");
    } else {
      target[std::string(name.str())] = integer->get();
    }
  }
}

void TomlReader::param(const Param& param, ParamValue& target) {
  if (param.type == ParamType::kText || param.type == ParamType::kProgram) {
    std::string& value = std::get<std::string>(target);
    text(param.name, value);
    protocol::LitmusProgram program;
    const std::string problem =
        param.type == ParamType::kProgram ? protocol::parse_litmus(value, program) : std::string();
    if (!problem.empty())
      log_.defect(where(param.name),
                  fmt::format("\"{}{}\": {} (docs/litmus.md)", prefix_, param.name, problem));
  } else if (param.type == ParamType::kChoice) {
    std::string value = std::get<std::string>(target);
    choice(param.name, value, param.choices);
    target = value;
  } else if (const auto value = number(param.name, param.type, {param.min, param.max})) {
    target = *value;
  }
}

const toml::table* TomlReader::table(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) wrong_type(*node, key, fmt::format("a table: [{}]", key));
  return node->as_table();
}

std::vector<const toml::table*> TomlReader::tables(const std::string& key) {
  std::vector<const toml::table*> result;
  const toml::node* node = find(key);
  if (node == nullptr) return result;
  const toml::array* array = node->as_array();
  if (array == nullptr) return wrong_type(*node, key, fmt::format("a list of tables: [[{}]]", key)), result;
  for (const toml::node& element : *array) {
    if (const toml::table* inner = element.as_table()) {
      result.push_back(inner);
    } else {
      wrong_type(element, key, fmt::format("a list of tables: [[{}]]", key));
    }
  }
  return result;
}

void TomlReader::finish() {
  const std::vector<std::string> known(asked_.begin(), asked_.end());
  for (const auto& [key, value] : table_) {
    const std::string name(key.str());
    if (asked_.contains(name)) continue;
    log_.defects.push_back(fmt::format("{}:{}: unknown key \"{}{}\"{}; remove it or use one of {}", log_.file,
                                       key.source().begin.line, prefix_, name, did_you_mean(name, known),
                                       fmt::join(known, ", ")));
  }
}

}  // namespace luf::scenario
