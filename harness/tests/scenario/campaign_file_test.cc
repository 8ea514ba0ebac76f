#include "scenario/campaign_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>

namespace luf::scenario {
namespace {

constexpr const char* kKernel = "[[kernel]]\nname = \"k\"\nvariant = \"luf\"\n";

TEST(CampaignFile, fills_in_what_is_not_said) {
  const auto file = parse_campaign(std::string("title = \"t\"\nscenarios = [\"a\"]\n") + kKernel, "f");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->seeds, 1);
  EXPECT_EQ(file->repeats, 4);
  EXPECT_FALSE(file->budget);
  EXPECT_TRUE(file->points.empty());
  EXPECT_EQ(file->kernels.front().luf, "as-is");
}

TEST(CampaignFile, tells_every_defect_with_its_line) {
  const auto file = parse_campaign(
      "title = \"t\"\nscenarios = []\npoints = [\"stric\"]\ncpus = [1, 4]\nbudget = 5\n[[kernel]]\nname = "
      "\"k\"\n"
      "path = \"p\"\nvariant = \"v\"\n[[kernel]]\nname = \"k\"\npath = \"p\"\nluf = \"maybe\"\n"
      "[[kernel]]\nname = \"t\"\ntree = \"linux\"\n",
      "f");
  ASSERT_FALSE(file);
  for (const char* part :
       {"f:1: no scenarios", "f:3: \"points\": unknown name \"stric\" (did you mean \"strict\"?)",
        "f:4: \"cpus\" must be a list of whole numbers, each 2 to 16", "f:5: \"budget\" must be a duration",
        "f:6: a kernel has either", "f:10: two kernels have the name \"k\"",
        "f:13: \"kernel.luf\" is \"maybe\"", "f:14: \"kernel.tree\" and \"kernel.commit\" go together"})
    EXPECT_NE(file.error().message.find(part), std::string::npos) << part << "\n" << file.error().message;
}

TEST(CampaignDoc, lists_exactly_the_keys_of_the_parser) {
  std::ifstream doc(LUFBED_SOURCE_DIR "/../docs/campaign.md");
  std::set<std::string> documented{"kernel"};
  std::smatch match;
  for (std::string line; std::getline(doc, line);)
    if (std::regex_search(line, match, std::regex("^\\| `([a-z_.]+)` \\| (text|count|list|duration|choice)")))
      documented.insert(match[1]);
  const std::vector<std::string> keys = campaign_keys();
  EXPECT_EQ(documented, std::set<std::string>(keys.begin(), keys.end()));
}

}  // namespace
}  // namespace luf::scenario
