#include "run/bisect.h"

namespace luf::run {

std::optional<std::size_t> Bisection::next() const {
  const std::size_t middle = good_ + (bad_ - good_) / 2;
  for (std::size_t away = 0; away < bad_ - good_; ++away) {
    for (const std::size_t number : {middle + away, middle - away}) {
      // Below zero wraps around, to far above `bad_`.
      if (number > good_ && number < bad_ && !untestable_.contains(number)) return number;
    }
  }
  return std::nullopt;
}

void Bisection::tell(std::size_t number, Tried tried) {
  switch (tried) {
    case Tried::kGood:
      good_ = number;
      break;
    case Tried::kBad:
      bad_ = number;
      break;
    case Tried::kUntestable:
      untestable_.insert(number);
      break;
  }
}

}  // namespace luf::run
