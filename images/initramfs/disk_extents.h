// A disk image as its non-zero extents: a new file system is almost all zeros.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace luf::initramfs {

struct Extent {
  std::uint64_t offset;  ///< a multiple of kExtentGrain
  std::string_view data;
};

inline constexpr std::size_t kExtentGrain = 4096;

/// The runs of blocks that hold anything but zeros, ascending, neighbours joined. The views point into
/// `image`.
std::vector<Extent> find_extents(std::string_view image);

}  // namespace luf::initramfs
