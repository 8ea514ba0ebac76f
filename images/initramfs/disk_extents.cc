#include "disk_extents.h"

namespace luf::initramfs {

std::vector<Extent> find_extents(std::string_view image) {
  std::vector<Extent> extents;
  for (std::size_t at = 0; at < image.size(); at += kExtentGrain) {
    const std::string_view block = image.substr(at, kExtentGrain);
    if (block.find_first_not_of('\0') == std::string_view::npos) continue;
    if (!extents.empty() && extents.back().offset + extents.back().data.size() == at) {
      Extent& last = extents.back();
      last.data = image.substr(last.offset, last.data.size() + block.size());
    } else {
      extents.push_back({at, block});
    }
  }
  return extents;
}

}  // namespace luf::initramfs
