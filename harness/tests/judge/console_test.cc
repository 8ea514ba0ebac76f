// One golden log a case in data/console: first line "# expect: KIND MEANING, ...", then the console's text.
// LUFBED_UPDATE_GOLDEN=1 rewrites the first lines.
#include "judge/console.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/file.h"

namespace luf::judge {
namespace {

namespace fs = std::filesystem;

std::string described(const std::vector<ConsoleHit>& hits) {
  std::string text;
  for (const ConsoleHit& hit : hits)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", hit.kind, to_string(hit.meaning));
  return "# expect: " + (text.empty() ? "nothing" : text);
}

std::vector<fs::path> golden_logs() {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(LUFBED_SOURCE_DIR "/tests/data/console"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

TEST(Console, golden_logs_mean_what_they_say) {
  for (const fs::path& file : golden_logs()) {
    const std::string text = *read_file(file);
    const std::string body = text.substr(text.find('\n') + 1);
    const std::string expected = text.substr(0, text.find('\n'));
    const std::string found = described(scan_console(body));
    if (std::getenv("LUFBED_UPDATE_GOLDEN") != nullptr) {
      ASSERT_TRUE(write_file(file, found + "\n" + body));
    } else {
      EXPECT_EQ(found, expected) << file;
    }
  }
}

TEST(Console, every_case_is_covered_by_a_log_of_its_name) {
  std::set<std::string> names;
  for (const fs::path& file : golden_logs()) names.insert(file.stem());
  for (const char* name : {"quiet",
                           "panic",
                           "bug",
                           "oops",
                           "soft_lockup",
                           "hard_lockup",
                           "hung_task",
                           "rcu_stall",
                           "out_of_memory",
                           "cgroup_out_of_memory",
                           "bad_initramfs",
                           "no_root",
                           "no_init",
                           "kasan",
                           "kfence",
                           "kcsan",
                           "kcsan_of_linux",
                           "kcsan_helper",
                           "kcsan_helper_cut",
                           "kcsan_helper_of_linux",
                           "bad_page",
                           "page_poison",
                           "lockdep",
                           "inconsistent_lock",
                           "suspicious_rcu",
                           "ubsan",
                           "allocation_failure",
                           "warning"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(Console, shows_the_line_without_its_stamp) {
  const auto hits = scan_console("[    1.5][   T12] Kernel panic - not syncing: x\r\n");
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].line, "Kernel panic - not syncing: x");
}

}  // namespace
}  // namespace luf::judge
