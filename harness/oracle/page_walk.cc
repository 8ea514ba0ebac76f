#include "page_walk.h"

namespace luf::oracle {

Translation walk(const GuestMemory& memory, const PagingState& state, std::uint64_t address) {
  Translation found;
  if (!state.paging) return found;
  found.writable = found.user = found.executable = true;
  std::uint64_t table = state.root();
  for (unsigned level = state.five_levels ? 5 : 4; level >= 1; --level) {
    const std::uint64_t slot = table + slot_index(address, level) * 8;
    const std::optional<std::uint64_t> entry = memory.word(slot);
    if (!entry) return Translation{};
    found.slots[level] = slot;
    found.level = level;
    found.entry = *entry;
    found.decided = true;
    if ((*entry & kPresent) == 0) return found;
    found.writable = found.writable && (*entry & kWritable) != 0;
    found.user = found.user && (*entry & kUser) != 0;
    found.executable = found.executable && (*entry & kNoExecute) == 0;
    if (level == 1 || ((level == 2 || level == 3) && (*entry & kLarge) != 0)) {
      const std::uint64_t pieces = (std::uint64_t{1} << (9 * (level - 1))) - 1;
      found.present = true;
      // In a large entry bit 12 is an attribute, not part of the frame.
      found.frame = (((*entry & kFrameMask) >> kPageShift) & ~pieces) | ((address >> kPageShift) & pieces);
      return found;
    }
    table = *entry & kFrameMask;
  }
  return found;
}

}  // namespace luf::oracle
