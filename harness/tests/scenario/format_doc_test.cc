#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>

#include "scenario/parse.h"

namespace luf::scenario {
namespace {

/// The keys in the first column of the table; what stands for `workload` stands for all three kinds of parts.
std::set<std::string> documented_keys() {
  std::ifstream file(LUFBED_SOURCE_DIR "/../docs/scenario-format.md");
  std::set<std::string> keys;
  const std::regex key("`([a-z_.]+)`");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string cell = line.substr(1, line.find('|', 1) - 1);
    for (std::sregex_iterator at(cell.begin(), cell.end(), key), end; at != end; ++at) {
      const std::string name = (*at)[1];
      keys.insert(name);
      if (cell.find("and so on") == std::string::npos) continue;
      const std::string rest = name.substr(name.find('.'));
      keys.insert({"injector" + rest, "detector" + rest});
    }
  }
  return keys;
}

TEST(FormatDoc, lists_exactly_the_keys_of_the_parser) {
  std::set<std::string> parsed;
  for (const std::string& key : all_keys()) parsed.insert(key);
  std::set<std::string> documented = documented_keys();
  documented.insert({"machine", "kernel", "schedule"});  // the tables themselves
  EXPECT_EQ(documented, parsed);
}

}  // namespace
}  // namespace luf::scenario
