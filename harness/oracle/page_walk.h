// A fresh walk of x86-64 page tables, which asks no TLB.
#pragma once

#include <array>
#include <cstdint>

#include "guest_memory.h"

namespace luf::oracle {

/// The control registers that decide a translation.
struct PagingState {
  std::uint64_t cr3 = 0;
  bool paging = false;       ///< CR0.PG, in long mode
  bool five_levels = false;  ///< CR4.LA57

  std::uint64_t root() const { return cr3 & 0x000ffffffffff000; }
  bool operator==(const PagingState&) const = default;
};

// Bits of an entry.
inline constexpr std::uint64_t kPresent = 1;
inline constexpr std::uint64_t kWritable = 2;
inline constexpr std::uint64_t kUser = 4;
inline constexpr std::uint64_t kLarge = 0x80;
inline constexpr std::uint64_t kNoExecute = std::uint64_t{1} << 63U;
inline constexpr std::uint64_t kFrameMask = 0x000ffffffffff000;

/// What the page tables say of an address now.
struct Translation {
  bool decided = false;  ///< false: a table lies outside RAM, or paging is off
  bool present = false;
  bool writable = false;    ///< on every level
  bool user = false;        ///< on every level
  bool executable = false;  ///< on every level
  unsigned level = 0;  ///< of the entry that decided: 1 4 KiB, 2 2 MiB, 3 1 GiB, or where an entry is absent
  std::uint64_t frame = 0;  ///< of the 4 KiB piece that holds the address
  std::uint64_t entry = 0;  ///< the entry that decided
  /// Physical addresses of the entries that were read, by level; 0 where none was.
  std::array<std::uint64_t, 6> slots{};
};

Translation walk(const GuestMemory& memory, const PagingState& state, std::uint64_t address);

/// Index of `address` in a table of that level.
constexpr std::uint64_t slot_index(std::uint64_t address, unsigned level) {
  return (address >> (kPageShift + 9 * (level - 1))) & 511;
}

}  // namespace luf::oracle
