// Violations, folded: the first of a kind is told in full, the others are counted.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "change.h"
#include "classify.h"

namespace luf::oracle {

/// Where two contents of a frame begin to differ.
struct Difference {
  std::size_t offset = 0;
  std::array<std::uint8_t, 16> before{};
  std::array<std::uint8_t, 16> after{};
};

/// The first violation of a kind, as it was found.
struct Finding {
  std::uint64_t fingerprint = 0;
  int phase = -1;  ///< number of the scenario's phase; -1: outside
  unsigned rule = 0;
  const char* reason = "";
  std::uint8_t access = kLoad;
  bool by_kernel = false;
  Actor by;
  std::uint64_t address = 0;
  std::uint64_t frame = 0;
  std::uint64_t entry_now = 0;  ///< in the page table
  unsigned level_now = 0;
  Moment when;
  Change change;
  Owner owner_now;
  std::optional<Difference> difference;
  std::atomic<std::uint64_t> count{1};
};

/// Thread: under the oracle's lock, but for `count`.
class Findings {
 public:
  static constexpr std::size_t kMost = 256;  ///< kinds; those beyond are only counted
  Finding* find(std::uint64_t fingerprint);
  /// Null when there are too many kinds.
  Finding* add(std::unique_ptr<Finding> finding);
  const std::vector<std::unique_ptr<Finding>>& all() const { return all_; }
  std::uint64_t overflow() const { return overflow_; }

 private:
  std::vector<std::unique_ptr<Finding>> all_;
  std::uint64_t overflow_ = 0;
};

/// Equal for two violations that are the same to a reader: same rule, reason and phase, same instruction, same place in
/// the kernel that changed the entry.
std::uint64_t fingerprint(const Judgement& judgement, int phase, std::uint8_t access, std::uint64_t pc,
                          const Change& change);

}  // namespace luf::oracle
