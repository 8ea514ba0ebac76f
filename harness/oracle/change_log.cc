#include "change_log.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

#include "guest_memory.h"

namespace luf::oracle {
namespace {

constexpr std::size_t kMostIndexed = 2 * ChangeLog::kChanges;
/// Beyond that many pages it is cheaper to look at the whole ring.
constexpr std::uint64_t kFewPages = 16384;
/// How many changes of one page, or frame, are looked at: those before were promised away, or reused, long ago.
constexpr unsigned kFarBack = 64;

std::uint64_t page_key(std::uint64_t root, std::uint64_t page) { return root ^ (page * 0x9e3779b97f4a7c15); }

}  // namespace

const char* to_string(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kCleared:
      return "cleared";
    case ChangeKind::kReplaced:
      return "replaced";
    case ChangeKind::kRestricted:
      return "restricted";
    case ChangeKind::kDetached:
      return "cut off with its table";
  }
  return "changed";
}

ChangeLog::ChangeLog() : ring_(kChanges), snapshot_owner_(kSnapshots) {
  // Untouched pages of it cost nothing.
  void* pool = ::mmap(nullptr, kSnapshots * kPageBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pool == MAP_FAILED) throw std::bad_alloc();
  snapshots_ = static_cast<std::byte*>(pool);
}

Change* ChangeLog::live(std::uint64_t serial) {
  Change& change = ring_[serial % kChanges];
  return serial != 0 && change.serial == serial ? &change : nullptr;
}

void ChangeLog::forget_dead(std::unordered_map<std::uint64_t, std::uint64_t>& index) {
  if (index.size() < kMostIndexed) return;
  std::erase_if(index, [this](const auto& entry) { return live(entry.second) == nullptr; });
}

Change& ChangeLog::add(const Change& change, const std::byte* content) {
  forget_dead(by_page_);
  forget_dead(by_frame_);
  const std::uint64_t serial = ++serial_;
  Change& kept = ring_[serial % kChanges];
  kept = change;
  kept.serial = serial;
  kept.bytes = nullptr;
  if (content != nullptr) {
    const std::size_t slot = snapshot_++ % kSnapshots;
    std::memcpy(snapshots_ + slot * kPageBytes, content, kPageBytes);
    snapshot_owner_[slot] = serial;
    kept.bytes = snapshots_ + slot * kPageBytes;
  }
  std::uint64_t& newest_of_page = by_page_[page_key(change.root, change.page)];
  kept.older_of_page = newest_of_page;
  newest_of_page = serial;
  std::uint64_t& newest_of_frame = by_frame_[change.frame];
  kept.older_of_frame = newest_of_frame;
  newest_of_frame = serial;
  return kept;
}

const std::byte* ChangeLog::content(const Change& change) const {
  if (change.bytes == nullptr) return nullptr;
  const auto slot = static_cast<std::size_t>(change.bytes - snapshots_) / kPageBytes;
  return snapshot_owner_[slot] == change.serial ? change.bytes : nullptr;
}

Change* ChangeLog::find(std::uint64_t root, std::uint64_t page, std::uint64_t frame) {
  for (const unsigned level : {1U, 2U, 3U}) {
    const std::uint64_t pieces = (std::uint64_t{1} << (9 * (level - 1))) - 1;
    if ((page & pieces) != (frame & pieces)) break;
    const auto newest = by_page_.find(page_key(root, page & ~pieces));
    if (newest == by_page_.end()) continue;
    unsigned left = kFarBack;
    for (Change* change = live(newest->second); change != nullptr && left > 0;
         change = live(change->older_of_page), --left) {
      if (change->root == root && change->page == (page & ~pieces) && change->frame == (frame & ~pieces) &&
          change->level == level)
        return change;
    }
  }
  return nullptr;
}

void ChangeLog::each_of_range(std::uint64_t root, std::uint64_t page, std::uint64_t pages,
                              const std::function<void(Change&)>& act) {
  if (pages > kFewPages) {
    each([&](Change& change) {
      if (change.root == root && change.page - page < pages) act(change);
    });
    return;
  }
  for (std::uint64_t at = page; at < page + pages; ++at) {
    const auto newest = by_page_.find(page_key(root, at));
    if (newest == by_page_.end()) continue;
    unsigned left = kFarBack;
    for (Change* change = live(newest->second); change != nullptr && left > 0;
         change = live(change->older_of_page), --left) {
      if (change->root == root && change->page == at) act(*change);
    }
  }
}

void ChangeLog::each_of_frame(std::uint64_t frame, const std::function<void(Change&)>& act) {
  const auto newest = by_frame_.find(frame);
  if (newest == by_frame_.end()) return;
  unsigned left = kFarBack;
  for (Change* change = live(newest->second); change != nullptr && left > 0;
       change = live(change->older_of_frame), --left) {
    if (change->frame == frame) act(*change);
  }
}

void ChangeLog::each(const std::function<void(Change&)>& act) {
  for (Change& change : ring_) {
    if (change.serial != 0) act(change);
  }
}

}  // namespace luf::oracle
