#include "machine/saved_clock.h"

#include <string_view>

namespace luf::machine {
namespace {

/// A subsection begins with this byte, the length of its name, and the name; here its version follows, in four bytes, then
/// the bias in ns and the count of instructions, in eight. All numbers are big-endian.
constexpr std::string_view kName("\x05\x0ctimer/icount\x00\x00\x00\x01", 18);
constexpr std::size_t kNumber = 8;
constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t read_number(const std::string& state, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kNumber; ++i) value = value << 8U | static_cast<unsigned char>(state[at + i]);
  return value;
}

void write_number(std::string& state, std::size_t at, std::uint64_t value) {
  for (std::size_t i = kNumber; i-- > 0; value >>= 8U) state[at + i] = static_cast<char>(value & 0xffU);
}

}  // namespace

Result<void> settle_clock(std::string& state, std::int64_t shift) {
  const std::size_t found = state.find(kName);
  const std::size_t bias = found + kName.size();
  if (found == std::string::npos || bias + 2 * kNumber > state.size() ||
      state.find(kName, bias) != std::string::npos)
    return fail(Blame::kInfra, "the guest's saved state has no clock where QEMU 10.0 has it");
  const std::uint64_t executed = read_number(state, bias + kNumber) << static_cast<unsigned>(shift);
  const std::uint64_t now = read_number(state, bias) + executed;
  write_number(state, bias, (now / kSecond + 1) * kSecond - executed);
  return {};
}

}  // namespace luf::machine
