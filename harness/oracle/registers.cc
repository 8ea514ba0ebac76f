#include "registers.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace luf::oracle {
namespace {

constexpr std::array<const char*, static_cast<unsigned>(Register::kCount)> kNames{
    "rax", "rdi", "rsi", "rdx", "r10", "r8", "r9", "rsp", "rip", "cr0", "cr3", "cr4", "k_gs_base"};

}  // namespace

void Registers::look_up() {
  buffer_ = g_byte_array_new();
  GArray* all = qemu_plugin_get_registers();
  const auto* descriptors = reinterpret_cast<const qemu_plugin_reg_descriptor*>(all->data);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    for (unsigned at = 0; at < all->len; ++at) {
      if (std::strcmp(descriptors[at].name, kNames[i]) == 0) handles_[i] = descriptors[at].handle;
    }
    if (handles_[i] == nullptr) {
      std::fprintf(stderr, "oracle: this QEMU tells no register %s\n", kNames[i]);
      std::exit(1);
    }
  }
  g_array_free(all, 1);
}

std::uint64_t Registers::read(Register which) {
  if (buffer_ == nullptr) look_up();
  g_byte_array_set_size(buffer_, 0);
  qemu_plugin_read_register(handles_[static_cast<unsigned>(which)], buffer_);
  std::uint64_t value = 0;
  std::memcpy(&value, buffer_->data, std::min<std::size_t>(buffer_->len, sizeof(value)));
  return value;
}

}  // namespace luf::oracle
