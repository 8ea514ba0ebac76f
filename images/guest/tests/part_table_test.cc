#include "lib/part_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "agent/describe.h"

namespace luf::guest {
namespace {

std::string_view folder_of(PartKind kind) {
  return kind == PartKind::workload ? "workload" : kind == PartKind::injector ? "inject" : "detect";
}

TEST(PartTable, names_and_kinds_are_those_of_the_files) {
  for (const PartEntry& entry : part_entries()) {
    EXPECT_EQ(entry.part->name, entry.file);
    EXPECT_EQ(folder_of(entry.part->kind), entry.folder) << entry.file;
  }
}

TEST(PartTable, every_part_is_complete_and_found_by_its_name) {
  std::set<std::string_view> names;
  for (const Part* part : part_table()) {
    EXPECT_TRUE(names.insert(part->name).second) << part->name << " stands twice";
    EXPECT_FALSE(part->summary.empty()) << part->name;
    EXPECT_EQ(part->summary.find('\n'), std::string_view::npos) << part->name;
    EXPECT_NE(part->run, nullptr) << part->name;
    EXPECT_EQ(part->rules.empty(), part->kind != PartKind::detector) << part->name;
    EXPECT_EQ(find_part(kind_name(part->kind), part->name), part);
  }
}

TEST(PartTable, defaults_lie_within_their_bounds) {
  for (const Part* part : part_table()) {
    std::set<std::string_view> names;
    for (const Param& param : part->params) {
      EXPECT_TRUE(names.insert(param.name).second) << part->name << "." << param.name;
      EXPECT_FALSE(param.summary.empty()) << part->name << "." << param.name;
      if (param.type == ParamType::choice) {
        EXPECT_EQ(std::count(param.choices.begin(), param.choices.end(), param.default_choice), 1)
            << param.name;
        for (const std::string_view choice : param.swapped)
          EXPECT_EQ(std::count(param.choices.begin(), param.choices.end(), choice), 1) << choice;
      } else {
        EXPECT_LE(param.min, param.default_number) << part->name << "." << param.name;
        EXPECT_LE(param.default_number, param.max) << part->name << "." << param.name;
      }
    }
  }
}

TEST(PartTable, an_unknown_part_is_not_found) { EXPECT_EQ(find_part("detector", "churn"), nullptr); }

TEST(Describe, is_json_that_holds_every_part) {
  const auto root = nlohmann::json::parse(describe_parts());
  EXPECT_EQ(root.at("parts").size(), part_table().size());
  for (const auto& part : root.at("parts")) {
    for (const char* key : {"name", "kind", "rules", "summary", "params"})
      EXPECT_TRUE(part.contains(key)) << key;
  }
}

}  // namespace
}  // namespace luf::guest
