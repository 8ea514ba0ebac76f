// The plugin as QEMU loads it, without a QEMU: what it refuses.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

#include "plugin_api.h"

namespace luf::oracle {
namespace {

using Install = int (*)(qemu_plugin_id_t id, const qemu_info_t* info, int count, char** options);

/// What it answers and says to this QEMU.
std::string answer_to(int version, const char* target, bool system) {
  // Lazily: nothing of QEMU is called before it has agreed.
  void* plugin = ::dlopen(LUFBED_ORACLE_PLUGIN, RTLD_LAZY | RTLD_LOCAL);
  if (plugin == nullptr) return ::dlerror();
  const auto install = reinterpret_cast<Install>(::dlsym(plugin, "qemu_plugin_install"));
  const auto* wants = static_cast<const int*>(::dlsym(plugin, "qemu_plugin_version"));
  if (install == nullptr || wants == nullptr || *wants != kApiVersion)
    return "it exports not what QEMU looks for";
  qemu_info_t info{};
  info.target_name = target;
  info.version.min = 2;
  info.version.cur = version;
  info.system_emulation = system;
  ::testing::internal::CaptureStderr();
  const int refused = install(1, &info, 0, nullptr);
  return (refused != 0 ? "refused: " : "taken: ") + ::testing::internal::GetCapturedStderr();
}

TEST(Plugin, refuses_an_interface_that_it_does_not_know) {
  EXPECT_EQ(answer_to(5, "x86_64", true),
            "refused: oracle: this QEMU has plugin interface 5, the oracle knows only 4 (QEMU 10.0)\n");
}

TEST(Plugin, refuses_other_machines) {
  EXPECT_EQ(answer_to(4, "aarch64", true), "refused: oracle: it judges x86_64 system emulation only\n");
  EXPECT_EQ(answer_to(4, "x86_64", false), "refused: oracle: it judges x86_64 system emulation only\n");
}

TEST(Plugin, says_what_it_needs) {
  EXPECT_EQ(answer_to(4, "x86_64", true), "refused: oracle: the options out and vcpus are needed\n");
}

}  // namespace
}  // namespace luf::oracle
