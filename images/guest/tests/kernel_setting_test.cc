#include "lib/kernel_setting.h"

#include <gtest/gtest.h>

namespace luf::guest {
namespace {

TEST(KernelSetting, puts_back_what_the_kernel_marks_as_chosen) {
  EXPECT_EQ(chosen_of("always [madvise] never\n"), "madvise");
  EXPECT_EQ(chosen_of("120000\n"), "120000\n");
  EXPECT_EQ(chosen_of(""), "");
}

}  // namespace
}  // namespace luf::guest
