// What the oracle keeps for one virtual CPU. Only that CPU's thread writes here.
#pragma once

#include <array>
#include <cstdint>

#include "classify.h"
#include "page_walk.h"

namespace luf::oracle {

/// Counts by power of two; bucket N holds [2^(N-1), 2^N), bucket 0 holds 0.
struct Histogram {
  std::array<std::uint64_t, 48> buckets{};
  void add(std::uint64_t value) {
    std::size_t bucket = 0;
    while (bucket + 1 < buckets.size() && value >> bucket != 0) ++bucket;
    ++buckets[bucket];
  }
};

struct Finding;

/// A translation that agreed with the page tables when nothing had changed since `stamp`.
struct Verified {
  std::uint64_t key = 0;  ///< page, and which of the soft TLB's tables was used
  std::uint64_t stamp = 0;
  std::uint64_t frame = 0;
  std::uint8_t may = 0;  ///< kinds of access
};

/// A stale translation in use, and what was decided about it.
struct StaleEntry {
  std::uint64_t key = 0;
  std::uint64_t stamp = 0;
  std::uint64_t facts = 0;
  std::uint64_t frame = 0;
  std::uint64_t since_ns = 0;  ///< when it stopped being true
  std::uint64_t last_ns = 0;
  std::uint64_t uses = 0;
  std::uint8_t access = 0;
  Class cls = Class::kUnknown;
  Finding* finding = nullptr;
};

struct alignas(64) Vcpu {
  static constexpr std::size_t kVerified = 256;
  static constexpr std::size_t kStale = 128;
  unsigned index = 0;
  void* state = nullptr;  ///< QEMU's CPUState; compared, never looked into
  PagingState paging;
  bool control_read = false;   ///< `paging` is what the registers say
  std::uint64_t switches = 0;  ///< writes to control registers
  std::uint64_t instructions = 0;
  std::uint64_t checked = 0;       ///< accesses
  std::uint64_t undecided = 0;     ///< of those: no RAM behind, or no walk possible
  std::uint64_t per_cpu_area = 0;  ///< the kernel's, once known
  std::uint64_t syscall = 0;       ///< its number, while one is known to be under way here
  std::array<std::uint64_t, kClasses> stale_accesses{};
  std::array<Histogram, kClasses> ages;
  Histogram clear_to_flush;
  Histogram clear_to_last;
  std::array<Verified, kVerified> verified{};
  std::array<StaleEntry, kStale> stale{};
};

}  // namespace luf::oracle
