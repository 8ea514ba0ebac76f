// Where the guest swaps to: agent/swap_space.h sets it up, parts may switch it off and on.
#pragma once

namespace luf::guest {

inline constexpr const char* kSwapDevice = "/dev/zram0";

}  // namespace luf::guest
