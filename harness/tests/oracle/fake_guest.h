// A guest's RAM with page tables that a test draws itself, and an oracle that watches it.
#pragma once

#include <cstring>
#include <vector>

#include "oracle.h"

namespace luf::oracle::testing {

/// Frames 0 to 63 hold tables, handed out one after the other; the struct pages lie in frame 64.
class FakeGuest {
 public:
  static constexpr std::uint64_t kFrames = 512;
  static constexpr std::uint64_t kVmemmap = 0xffffea0000000000;
  static constexpr std::uint64_t kStructFrame = 64;
  static constexpr std::uint64_t kUserPage = kPresent | kWritable | kUser;

  FakeGuest() : bytes_(kFrames * kPageBytes / 8), vcpus(2), oracle(memory(), vcpus, -1, Symbols()) {
    for (unsigned i = 0; i < vcpus.size(); ++i) {
      vcpus[i].index = i;
      vcpus[i].paging = {kRoot << kPageShift, true, false};
      vcpus[i].control_read = true;
    }
    for (std::uint64_t page = 0; page < kFrames / 64; ++page)
      *slot(kVmemmap + page * kPageBytes, 1) = (kStructFrame + page) << kPageShift | kPresent | kWritable;
  }

  /// The entry for `address` on that level; tables above it are made.
  std::uint64_t* slot(std::uint64_t address, unsigned level, unsigned levels = 4) {
    std::uint64_t table = kRoot;
    for (unsigned at = levels;; --at) {
      std::uint64_t* entry = word((table << kPageShift) + slot_index(address, at) * 8);
      if (at == level) return entry;
      if ((*entry & kPresent) == 0) *entry = next_table_++ << kPageShift | kUserPage;
      table = (*entry & kFrameMask) >> kPageShift;
    }
  }

  /// Stores `entry` as CPU `cpu` does, and lets the oracle see it.
  void set_entry(unsigned cpu, std::uint64_t address, std::uint64_t entry, unsigned level = 1) {
    std::uint64_t* at = slot(address, level);
    *at = entry;
    const std::uint64_t physical = static_cast<std::uint64_t>(at - bytes_.data()) * 8;
    if (oracle.flags(physical >> kPageShift) != 0) oracle.stored(vcpus[cpu], physical, 8, 0xffffffff81000000);
  }

  void set_owner(std::uint64_t frame, std::uint64_t mapping, std::uint64_t index, std::int32_t references) {
    auto* at = reinterpret_cast<std::byte*>(word((kStructFrame << kPageShift) + frame * 64));
    std::memcpy(at + 24, &mapping, 8);
    std::memcpy(at + 32, &index, 8);
    std::memcpy(at + 52, &references, 4);
  }

  /// CPU `cpu` uses a translation of `address` to `frame`; returns what it was counted as, or nothing when it was true.
  std::optional<Class> access(unsigned cpu, std::uint64_t address, std::uint64_t frame,
                              std::uint8_t kind = kLoad) {
    const auto before = vcpus[cpu].stale_accesses;
    oracle.check(vcpus[cpu], {kind, false, 2, address, 0x400000, frame});
    for (std::size_t i = 0; i < kClasses; ++i) {
      if (vcpus[cpu].stale_accesses[i] != before[i]) return static_cast<Class>(i);
    }
    return std::nullopt;
  }

  std::uint64_t* word(std::uint64_t physical) { return bytes_.data() + physical / 8; }
  GuestMemory memory() {
    return GuestMemory(
        {{reinterpret_cast<std::byte*>(bytes_.data()), kFrames * kPageBytes / 2},
         {reinterpret_cast<std::byte*>(bytes_.data() + bytes_.size() / 2), kFrames * kPageBytes / 2}});
  }
  static constexpr std::uint64_t kRoot = 1;

 private:
  std::vector<std::uint64_t> bytes_;
  std::uint64_t next_table_ = kRoot + 1;

 public:
  std::vector<Vcpu> vcpus;
  Oracle oracle;
};

}  // namespace luf::oracle::testing
