// One TOML table, read key by key: what is not asked for is an error, what is wrong is told with its line.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"

namespace luf::scenario {

/// Defects found and keys asked for while one file is read.
struct ReadLog {
  std::string file;
  std::vector<std::string> defects;
  std::vector<std::string> keys;

  /// Adds "file:line: text".
  void defect(const toml::node& where, std::string_view text);
};

/// Inclusive bounds of a number.
struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
};

/// Reads one table. A key that is absent leaves `target` as it is. The table and the log outlive the reader.
class TomlReader {
 public:
  TomlReader(const toml::table& table, std::string prefix, ReadLog& log)
      : table_(table), prefix_(std::move(prefix)), log_(log) {}

  void text(const std::string& key, std::string& target);
  void required_text(const std::string& key, std::string& target);
  void flag(const std::string& key, std::optional<bool>& target);
  void count(const std::string& key, std::int64_t& target, Range range);
  void count(const std::string& key, std::optional<std::int64_t>& target, Range range);
  void duration(const std::string& key, Nanoseconds& target, Range nanoseconds);
  void duration(const std::string& key, std::optional<Nanoseconds>& target, Range nanoseconds);
  void required_duration(const std::string& key, Nanoseconds& target, Range nanoseconds);
  void size(const std::string& key, std::uint64_t& target, Range bytes);
  void choice(const std::string& key, std::string& target, const std::vector<std::string>& choices);
  /// No choices: any text will do.
  void texts(const std::string& key, std::vector<std::string>& target,
             const std::vector<std::string>& choices);
  void numbers(const std::string& key, std::vector<std::int64_t>& target, Range range);
  void counts(const std::string& key, std::map<std::string, std::int64_t>& target);

  /// A parameter of a part, by its description.
  void param(const Param& param, ParamValue& target);

  /// The sub-table, or null when absent or of another type (which is told).
  const toml::table* table(const std::string& key);
  /// The tables of an array of tables; empty when absent.
  std::vector<const toml::table*> tables(const std::string& key);

  /// The node of a key that was set, else the table itself: where to point in a message.
  const toml::node& where(const std::string& key) const;

  /// Tells every key that nobody asked for.
  void finish();

 private:
  const toml::node* find(const std::string& key);
  void wrong_type(const toml::node& node, const std::string& key, std::string_view wanted);
  std::optional<std::int64_t> number(const std::string& key, ParamType type, Range range);
  void missing(const std::string& key, std::string_view example);

  const toml::table& table_;
  std::string prefix_;
  ReadLog& log_;
  std::set<std::string> asked_;
};

}  // namespace luf::scenario
