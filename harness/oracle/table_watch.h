// Knows which frames are page tables in use and notices what every store to them does.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "change.h"
#include "page_walk.h"

namespace luf::oracle {

/// One byte a frame, read at every store of the kernel.
class FrameFlags {
 public:
  static constexpr std::uint8_t kTable = 1;    ///< a page table that was walked
  static constexpr std::uint8_t kReached = 2;  ///< a stale entry was seen to reach it: who stores to it?
  explicit FrameFlags(std::uint64_t frames) : flags_(frames) {}
  std::uint64_t frames() const { return flags_.size(); }
  std::uint8_t get(std::uint64_t frame) const { return flags_[frame].load(std::memory_order_relaxed); }
  void set(std::uint64_t frame, std::uint8_t flag) {
    flags_[frame].fetch_or(flag, std::memory_order_relaxed);
  }
  void clear(std::uint64_t frame, std::uint8_t flag) {
    flags_[frame].fetch_and(static_cast<std::uint8_t>(~flag), std::memory_order_relaxed);
  }

 private:
  std::vector<std::atomic<std::uint8_t>> flags_;
};

/// A table becomes known when a translation through it is used, that is before any CPU can hold an entry that came from
/// it. From then on a copy of it is kept, and a store that makes an entry say less is a change.
class TableWatch {
 public:
  /// Told: address space, page, frame, level, kind, old and new entry.
  using OnChange = std::function<void(const Change& change)>;
  TableWatch(const GuestMemory& memory, FrameFlags& flags);

  /// Some CPU used this translation and it was true. True when all of that is known already; no lock is needed to ask.
  bool known(const Translation& translation) const;
  /// Makes it known. Under the oracle's lock.
  void use(const PagingState& state, std::uint64_t address, const Translation& translation);

  /// Tells of every entry of a program that says less now, used or not: between a CPU's use of an entry and the oracle's
  /// look at it another CPU may clear it.
  /// Somebody stored to `bytes` bytes at `physical`, which lie in a known table. Under the oracle's lock.
  void stored(std::uint64_t physical, std::uint64_t bytes, const OnChange& on_change);

  /// The copy of the table still says that `address` leads to `frame`: whoever stored another entry there has not yet come
  /// to tell of it, and so is still at that instruction. Under the oracle's lock.
  bool change_under_way(const Translation& truth, std::uint64_t address, std::uint64_t frame) const;

  std::uint64_t tables() const { return known_tables_; }

 private:
  struct Table {
    unsigned level = 1;
    std::uint64_t parent_slot = 0;
    std::uint64_t root = 0;
    std::uint64_t first_page = 0;  ///< virtual page of its first entry
    std::array<std::uint64_t, 512> entries{};
    std::array<std::atomic<std::uint64_t>, 8> used{};
    bool is_used(std::uint64_t index) const {
      return ((used[index / 64].load(std::memory_order_relaxed) >> (index % 64)) & 1U) != 0;
    }
    void set_used(std::uint64_t index) { used[index / 64].fetch_or(std::uint64_t{1} << (index % 64)); }
    void set_unused(std::uint64_t index) { used[index / 64].fetch_and(~(std::uint64_t{1} << (index % 64))); }
  };

  Table* table_of(std::uint64_t slot) const;
  void compare(Table& table, std::uint64_t slot, const OnChange& on_change);
  void tell(const Table& table, std::uint64_t index, ChangeKind kind, std::uint64_t now,
            const OnChange& on_change);
  void detach(std::uint64_t entry, std::uint64_t parent_slot, const OnChange& on_change);

  const GuestMemory& memory_;
  FrameFlags& flags_;
  std::vector<std::unique_ptr<Table>> tables_;  ///< by frame; kept when the frame is no table any more
  std::uint64_t known_tables_ = 0;
};

}  // namespace luf::oracle
