// What is remembered of a translation that stopped being true.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace luf::oracle {

/// Virtual time since QEMU started, and instructions of all CPUs since then.
struct Moment {
  std::uint64_t ns = 0;
  std::uint64_t instructions = 0;
};

/// Who did something.
struct Actor {
  unsigned vcpu = 0;
  std::uint64_t pc = 0;
  std::uint64_t root = 0;       ///< address space that was loaded
  std::array<char, 16> task{};  ///< its name; empty: cannot be told
  std::uint64_t syscall =
      0;  ///< number of the system call that CPU was in, counted by the oracle; 0: none known
};

/// Whose a frame is, by its struct page. The layout has been the same since Linux 4.18.
struct Owner {
  bool known = false;  ///< the struct page was found and looked like one in use
  std::uint64_t mapping = 0;
  std::uint64_t index = 0;
  std::int32_t references = 0;
};

// Kinds of access, and sets of them.
inline constexpr std::uint8_t kLoad = 1;
inline constexpr std::uint8_t kStore = 2;
inline constexpr std::uint8_t kFetch = 4;
inline constexpr std::uint8_t kAnyAccess = 7;

enum class ChangeKind : std::uint8_t {
  kCleared,     ///< the entry is absent now
  kReplaced,    ///< it names another frame
  kRestricted,  ///< the same frame, fewer permissions
  kDetached,    ///< a table above it went
};
const char* to_string(ChangeKind kind);

/// That from `when` on an old translation must not be used.
struct Promise {
  unsigned rule = 0;         ///< N of RN in docs/contract.md; 0: none
  std::uint8_t forbids = 0;  ///< kinds of access
  bool at_once = false;      ///< a batch that an unmapper has in flight is no excuse
  const char* what = "";     ///< what had happened, as a clause
  unsigned vcpu = 0;         ///< where it passed
  Moment when;
};

/// One entry of a page table that was used by some CPU and then changed.
struct Change {
  std::uint64_t serial = 0;  ///< 0: none
  std::uint64_t root = 0;    ///< of the address space
  std::uint64_t page = 0;    ///< virtual, in pages: the first one that the entry covered
  std::uint64_t frame = 0;   ///< the first one that it named
  unsigned level = 1;
  ChangeKind kind = ChangeKind::kCleared;
  bool used = true;  ///< the oracle had seen some CPU use it
  std::uint64_t old_entry = 0;
  std::uint64_t new_entry = 0;
  Actor actor;
  Moment when;
  Owner owner;                       ///< of the frame, at that time
  const std::byte* bytes = nullptr;  ///< the frame's content then; null: not kept
  bool deferred = false;             ///< the unmapper is known to have gone on without a flush
  Moment deferred_at;
  bool stored_stale = false;      ///< a store went through this entry since
  Promise strong;                 ///< the last one that is at_once
  Promise weak;                   ///< the first one that is not
  bool stored = false;            ///< somebody was seen to store to the frame since
  bool stored_ownerless = false;  ///< while it had no owner
  Actor storer;
  Moment stored_at;
  std::uint64_t stored_offset = 0;
  std::uint64_t last_stale_ns = 0;  ///< 0: never used since
  bool reuse_counted = false;
  std::uint64_t older_of_page = 0;   ///< serial of the one before of the same root and page
  std::uint64_t older_of_frame = 0;  ///< of the same frame
};

}  // namespace luf::oracle
