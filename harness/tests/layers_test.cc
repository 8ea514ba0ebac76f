// Holds the layering of docs/architecture.md: who may include whom, and which library may be used where.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace luf {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, int> kLayers{{"protocol", 0}, {"base", 0},    {"async", 1},   {"scenario", 1},
                                         {"artifact", 1}, {"machine", 2}, {"guest", 2},   {"inject", 3},
                                         {"judge", 3},    {"report", 3},  {"history", 3}, {"run", 4},
                                         {"cli", 5}};

/// Within one layer only this is allowed.
const std::set<std::pair<std::string, std::string>> kSameLayer{
    {"report", "judge"}, {"history", "judge"}, {"report", "history"}};

const std::map<std::string, std::set<std::string>> kLibraries{
    {"boost/asio", {"async", "machine", "guest", "inject", "run", "cli"}},
    {"toml++", {"scenario"}},
    {"CLI/", {"cli"}},
    {"libvirt/", {"machine"}},
    {"prometheus/", {"report"}},
    {"sqlite3", {"history"}},
};

struct Include {
  fs::path file;
  std::string from;  ///< folder
  std::string what;
};

std::vector<Include> all_includes() {
  const std::regex pattern(R"(^\s*#include\s*[<"]([^>"]+)[>"])");
  std::vector<Include> includes;
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator(fs::path(LUFBED_SOURCE_DIR) / "src")) {
    const fs::path relative = fs::relative(entry.path(), fs::path(LUFBED_SOURCE_DIR) / "src");
    if (!entry.is_regular_file() || !relative.has_parent_path()) continue;
    std::ifstream file(entry.path());
    std::smatch match;
    for (std::string line; std::getline(file, line);) {
      if (std::regex_search(line, match, pattern))
        includes.push_back({entry.path(), relative.begin()->string(), match[1]});
    }
  }
  return includes;
}

TEST(Layers, no_folder_includes_a_higher_one) {
  const std::vector<Include> includes = all_includes();
  EXPECT_GT(includes.size(), 200U);
  for (const Include& include : includes) {
    ASSERT_TRUE(kLayers.contains(include.from))
        << include.file << ": give the folder " << include.from << " a layer";
    const std::string to = fs::path(include.what).begin()->string();
    if (!kLayers.contains(to) || to == include.from) continue;
    const bool same =
        kSameLayer.contains({include.from, to}) || (kLayers.at(to) == 0 && kLayers.at(include.from) == 0);
    EXPECT_TRUE(kLayers.at(to) < kLayers.at(include.from) || same)
        << include.file << " includes " << include.what;
  }
}

TEST(Layers, libraries_stay_in_their_folders) {
  for (const Include& include : all_includes()) {
    for (const auto& [library, folders] : kLibraries) {
      if (!include.what.starts_with(library)) continue;
      EXPECT_TRUE(folders.contains(include.from)) << include.file << " includes " << include.what;
    }
  }
}

/// The oracle runs inside QEMU: of the harness it may use the protocol only.
TEST(Layers, the_oracle_uses_the_protocol_only) {
  const std::regex pattern(R"(^\s*#include\s*"([a-z]+)/[^"]+")");
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(LUFBED_SOURCE_DIR) / "oracle")) {
    std::ifstream file(entry.path());
    std::smatch match;
    for (std::string line; std::getline(file, line);) {
      const bool own = std::regex_search(line, match, pattern);
      EXPECT_TRUE(!own || match[1] == "protocol") << entry.path() << " includes " << line;
    }
  }
}

}  // namespace
}  // namespace luf
