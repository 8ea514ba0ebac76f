// The last some ten thousand changes, found by page and by frame.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "change.h"

namespace luf::oracle {

/// A ring. Thread: under the oracle's lock. A pointer returned stays valid until the ring has gone round.
class ChangeLog {
 public:
  static constexpr std::size_t kChanges = 131072;
  static constexpr std::size_t kSnapshots = 16384;
  ChangeLog();

  /// Takes `change` in; its serial and links are set here. `content` is the frame's page, copied, or null.
  Change& add(const Change& change, const std::byte* content);

  /// The newest change of that address space, page and frame, of a 4 KiB or of a large entry, or null.
  Change* find(std::uint64_t root, std::uint64_t page, std::uint64_t frame);

  /// Calls `act` for each change of [page, page + pages) of an address space that is still in the ring.
  void each_of_range(std::uint64_t root, std::uint64_t page, std::uint64_t pages,
                     const std::function<void(Change&)>& act);
  /// The same for a frame: only entries of 4 KiB.
  void each_of_frame(std::uint64_t frame, const std::function<void(Change&)>& act);
  void each(const std::function<void(Change&)>& act);

  /// Null when the ring has gone round.
  Change* by_serial(std::uint64_t serial) { return live(serial); }

  /// What the kept content of `change` still is: null once it was written over.
  const std::byte* content(const Change& change) const;

  std::uint64_t added() const { return serial_; }

 private:
  Change* live(std::uint64_t serial);
  void forget_dead(std::unordered_map<std::uint64_t, std::uint64_t>& index);
  std::vector<Change> ring_;
  std::byte* snapshots_ = nullptr;
  std::vector<std::uint64_t> snapshot_owner_;
  std::uint64_t serial_ = 0;
  std::uint64_t snapshot_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> by_page_;
  std::unordered_map<std::uint64_t, std::uint64_t> by_frame_;
};

}  // namespace luf::oracle
