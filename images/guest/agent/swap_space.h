// Swap in guest memory: a compressed RAM disk (zram).
#pragma once

#include <string>

namespace luf::guest {

class SwapSpace {
 public:
  /// Switches swap on, once. Returns why it cannot be had, empty when it is there.
  const std::string& prepare();

 private:
  bool tried_ = false;
  std::string problem_;
};

}  // namespace luf::guest
