// The layout of the plan device (docs/guest-protocol.md): shared by host and guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace luf::protocol {

/// Size of the shared memory area, bytes.
inline constexpr std::size_t kPlanDeviceSize = std::size_t{1} << 20;

/// PCI identity of QEMU's ivshmem-plain.
inline constexpr std::uint16_t kPlanDeviceVendor = 0x1af4;
inline constexpr std::uint16_t kPlanDeviceId = 0x1110;

/// PCI identity of QEMU's pvpanic-pci. A byte kTemplateReady at the start of its BAR 0 stops the whole machine at that
/// very instruction.
inline constexpr std::uint16_t kStopDeviceVendor = 0x1b36;
inline constexpr std::uint16_t kStopDeviceId = 0x0011;
inline constexpr std::uint8_t kTemplateReady = 1;

inline constexpr char kPlanMagic[8] = {'L', 'U', 'F', 'P', 'L', 'A', 'N', '1'};
/// Instead of a plan: this guest becomes a template. It stops itself when it is ready; a clone then finds a plan.
inline constexpr char kTemplateMagic[8] = {'L', 'U', 'F', 'T', 'M', 'P', 'L', '1'};

/// Stands at offset 0; the plan's bytes follow. Little endian, as both sides are.
/// The host writes `magic` last, the guest reads it first.
struct PlanHeader {
  char magic[8];
  std::uint32_t length;  ///< bytes of the plan, at most kPlanDeviceSize - sizeof(PlanHeader)
  std::uint32_t crc32;   ///< over those bytes
};
static_assert(sizeof(PlanHeader) == 16);

/// CRC-32 as zlib computes it (reflected, polynomial 0xEDB88320). Thread: any.
constexpr std::uint32_t crc32(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (std::byte byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ (0xEDB88320U & (0U - (crc & 1U)));
  }
  return ~crc;
}

}  // namespace luf::protocol
