// The guest's RAM as this process sees it: the plugin lives inside QEMU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace luf::oracle {

inline constexpr unsigned kPageShift = 12;
inline constexpr std::uint64_t kPageBytes = std::uint64_t{1} << kPageShift;

/// RAM from guest-physical address 0 on, in pieces that follow each other: one a NUMA node. Reads race with the guest, as
/// any bus master's do; an aligned word is read whole.
class GuestMemory {
 public:
  struct Piece {
    std::byte* host = nullptr;
    std::uint64_t bytes = 0;
  };
  GuestMemory() = default;
  explicit GuestMemory(std::vector<Piece> pieces);

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t frames() const { return bytes_ >> kPageShift; }

  /// Where a guest-physical address lies; null when it is no RAM. `length` must not cross a page.
  std::byte* at(std::uint64_t physical) const {
    for (const Piece& piece : pieces_) {
      if (physical < piece.bytes) return piece.host + physical;
      physical -= piece.bytes;
    }
    return nullptr;
  }

  /// The way back; nothing when the pointer is not into RAM.
  std::optional<std::uint64_t> physical(const void* host) const;

  /// The aligned word there; nothing when it is no RAM.
  std::optional<std::uint64_t> word(std::uint64_t physical) const {
    const std::byte* host = at(physical);
    if (host == nullptr) return std::nullopt;
    return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(host), __ATOMIC_ACQUIRE);
  }

 private:
  std::vector<Piece> pieces_;
  std::uint64_t bytes_ = 0;
};

/// Finds this process's mappings of memory backends whose name in /proc/self/maps contains `name`, in the order of
/// what follows it, then of their making (inode). `maps` is that file's text. Empty when there is none.
std::vector<GuestMemory::Piece> find_ram(const std::string& maps, const std::string& name);

}  // namespace luf::oracle
