// Which of many changes in a row made a failure come, by halving: a pure value.
#pragma once

#include <cstddef>
#include <optional>
#include <set>

namespace luf::run {

/// What a kernel with the first so many changes did.
enum class Tried { kGood, kBad, kUntestable };

/// Numbers of changes, 0 (none, taken for good) to `count` (all, known to be bad).
class Bisection {
 public:
  explicit Bisection(std::size_t count) : bad_(count) {}

  /// The number to try next: the one nearest to the middle that was not found untestable; none when all was tried.
  std::optional<std::size_t> next() const;
  void tell(std::size_t number, Tried tried);

  /// The last known good number and the first known bad one; the culprit is one of the changes after the former up to the
  /// latter.
  std::size_t good() const { return good_; }
  std::size_t bad() const { return bad_; }

 private:
  std::size_t good_ = 0;
  std::size_t bad_;
  std::set<std::size_t> untestable_;
};

}  // namespace luf::run
