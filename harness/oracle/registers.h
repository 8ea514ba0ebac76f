// The registers of one virtual CPU, by name.
#pragma once

#include <array>
#include <cstdint>

#include "plugin_api.h"

namespace luf::oracle {

enum class Register : unsigned {
  kRax,
  kRdi,
  kRsi,
  kRdx,
  kR10,
  kR8,
  kR9,
  kRsp,
  kRip,
  kCr0,
  kCr3,
  kCr4,
  kKernelGsBase,
  kCount
};

/// Thread: that CPU's, in a callback. The general ones are right only in a callback that asked for them.
class Registers {
 public:
  std::uint64_t read(Register which);

 private:
  void look_up();
  std::array<qemu_plugin_register*, static_cast<unsigned>(Register::kCount)> handles_{};
  GByteArray* buffer_ = nullptr;
};

}  // namespace luf::oracle
