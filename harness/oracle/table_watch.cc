#include "table_watch.h"

namespace luf::oracle {
namespace {

/// Bits of an entry whose change can make a translation say less; accessed, dirty and the software's own are none.
constexpr std::uint64_t kMeaning = kPresent | kWritable | kUser | kLarge | kNoExecute | kFrameMask;

bool is_leaf(std::uint64_t entry, unsigned level) { return level == 1 || (entry & kLarge) != 0; }

bool restricts(std::uint64_t before, std::uint64_t after) {
  const std::uint64_t lost = before & ~after & (kWritable | kUser);
  return lost != 0 || (after & ~before & kNoExecute) != 0;
}

}  // namespace

TableWatch::TableWatch(const GuestMemory& memory, FrameFlags& flags)
    : memory_(memory), flags_(flags), tables_(memory.frames()) {}

TableWatch::Table* TableWatch::table_of(std::uint64_t slot) const {
  const std::uint64_t frame = slot >> kPageShift;
  return (flags_.get(frame) & FrameFlags::kTable) != 0 ? tables_[frame].get() : nullptr;
}

bool TableWatch::known(const Translation& translation) const {
  for (unsigned level = translation.level; level < translation.slots.size(); ++level) {
    const std::uint64_t slot = translation.slots[level];
    if (slot == 0) continue;
    const Table* table = table_of(slot);
    if (table == nullptr || table->level != level || !table->is_used((slot / 8) % 512)) return false;
  }
  return true;
}

void TableWatch::use(const PagingState& state, std::uint64_t address, const Translation& translation) {
  std::uint64_t parent = 0;
  for (unsigned level = 5; level >= translation.level; --level) {
    const std::uint64_t slot = translation.slots[level];
    if (slot == 0) continue;
    const std::uint64_t frame = slot >> kPageShift;
    Table* table = table_of(slot);
    if (table == nullptr || table->level != level || table->parent_slot != parent) {
      if (tables_[frame] == nullptr) tables_[frame] = std::make_unique<Table>();
      table = tables_[frame].get();
      for (auto& word : table->used) word.store(0);
      table->level = level;
      table->parent_slot = parent;
      table->root = state.root();
      table->first_page = (address >> kPageShift) & ~((std::uint64_t{1} << (9 * level)) - 1);
      for (std::uint64_t i = 0; i < 512; ++i)
        table->entries[i] = memory_.word((frame << kPageShift) + i * 8).value_or(0);
      flags_.set(frame, FrameFlags::kTable);
      ++known_tables_;
    }
    table->set_used((slot / 8) % 512);
    parent = slot;
  }
}

bool TableWatch::change_under_way(const Translation& truth, std::uint64_t address,
                                  std::uint64_t frame) const {
  const std::uint64_t slot = truth.slots[truth.level];
  const Table* table = table_of(slot);
  if (table == nullptr || table->level != truth.level) return false;
  const std::uint64_t entry = table->entries[(slot / 8) % 512];
  if ((entry & kPresent) == 0 || ((entry ^ truth.entry) & kMeaning) == 0) return false;
  if (!is_leaf(entry, truth.level)) return true;
  const std::uint64_t pieces = (std::uint64_t{1} << (9 * (truth.level - 1))) - 1;
  return ((entry & kFrameMask) >> kPageShift | ((address >> kPageShift) & pieces)) == frame;
}

void TableWatch::stored(std::uint64_t physical, std::uint64_t bytes, const OnChange& on_change) {
  const std::uint64_t end = physical + bytes;
  for (std::uint64_t slot = physical & ~std::uint64_t{7}; slot < end; slot += 8) {
    Table* table = table_of(slot);
    if (table != nullptr) compare(*table, slot, on_change);
  }
}

void TableWatch::compare(Table& table, std::uint64_t slot, const OnChange& on_change) {
  const std::uint64_t index = (slot / 8) % 512;
  const std::uint64_t before = table.entries[index];
  const std::uint64_t after = memory_.word(slot).value_or(0);
  if (((before ^ after) & kMeaning) == 0) return;
  if ((before & kPresent) == 0) {
    table.entries[index] = after;
    return;
  }
  const bool gone = (after & kPresent) == 0;
  const bool other = ((before ^ after) & (kFrameMask | kLarge)) != 0;
  if (gone || other) {
    if (is_leaf(before, table.level)) {
      tell(table, index, gone ? ChangeKind::kCleared : ChangeKind::kReplaced, after, on_change);
    } else {
      detach(before, slot, on_change);
    }
    table.set_unused(index);
  } else if (table.is_used(index) && restricts(before, after) && is_leaf(before, table.level)) {
    tell(table, index, ChangeKind::kRestricted, after, on_change);
  }
  table.entries[index] = after;
}

void TableWatch::tell(const Table& table, std::uint64_t index, ChangeKind kind, std::uint64_t now,
                      const OnChange& on_change) {
  const std::uint64_t pieces = std::uint64_t{1} << (9 * (table.level - 1));
  if ((table.entries[index] & kUser) == 0) return;
  Change change;
  change.used = table.is_used(index);
  change.root = table.root;
  change.page = table.first_page + index * pieces;
  change.old_entry = table.entries[index];
  change.frame = ((change.old_entry & kFrameMask) >> kPageShift) & ~(pieces - 1);
  change.level = table.level;
  change.kind = kind;
  change.new_entry = now;
  on_change(change);
}

/// The table that `entry` names is reached no more; neither are the tables below it.
void TableWatch::detach(std::uint64_t entry, std::uint64_t parent_slot, const OnChange& on_change) {
  const std::uint64_t frame = (entry & kFrameMask) >> kPageShift;
  if (frame >= flags_.frames() || (flags_.get(frame) & FrameFlags::kTable) == 0) return;
  Table& table = *tables_[frame];
  if (table.parent_slot != parent_slot) return;
  flags_.clear(frame, FrameFlags::kTable);
  --known_tables_;
  for (std::uint64_t index = 0; index < 512; ++index) {
    const std::uint64_t lower = table.entries[index];
    if ((lower & kPresent) == 0) continue;
    if (is_leaf(lower, table.level)) {
      tell(table, index, ChangeKind::kDetached, 0, on_change);
    } else {
      detach(lower, (frame << kPageShift) + index * 8, on_change);
    }
  }
}

}  // namespace luf::oracle
