#include "report/violation.h"

#include <gtest/gtest.h>

namespace luf::report {
namespace {

judge::OracleFinding violation() {
  judge::OracleFinding finding;
  finding.rule = "R5";
  finding.count = 7;
  finding.detail = "A load <of> an old frame.";
  finding.marks = {{2, 388'100, "the entry is cleared"}, {0, 93'760, "promise of R5"}, {3, 0, "a load"}};
  return finding;
}

TEST(Violation, has_a_column_for_each_cpu_that_took_part_and_time_downwards) {
  EXPECT_EQ(violation_text(violation()),
            "R5, 7 times: A load <of> an old frame.\n"
            "us        CPU 0          CPU 2                 CPU 3\n"
            "-388.100                 the entry is cleared\n"
            "-93.760   promise of R5\n"
            "0                                              a load\n");
}

TEST(Violation, as_an_image_needs_nothing_else_and_escapes_what_it_is_told) {
  const std::string svg = violation_svg(violation());
  EXPECT_TRUE(svg.starts_with("<svg xmlns="));
  EXPECT_EQ(svg.find("<of>"), std::string::npos);
  EXPECT_EQ(svg.find("href"), std::string::npos);
  for (const char* word : {"CPU 0", "CPU 2", "CPU 3", "-388.100", "the entry is cleared", "promise of R5"})
    EXPECT_NE(svg.find(word), std::string::npos) << word;
}

TEST(Violation, image_is_as_wide_as_its_longest_line) {
  judge::OracleFinding finding = violation();
  finding.marks.back().what = std::string(300, 'w');
  const std::string svg = violation_svg(finding);
  EXPECT_GT(std::stoul(svg.substr(svg.find("viewBox=\"0 0 ") + 13)), 300U * 8);
}

}  // namespace
}  // namespace luf::report
