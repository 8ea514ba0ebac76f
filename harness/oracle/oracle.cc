#include "oracle.h"

#include <algorithm>
#include <cstring>
#include <ctime>

namespace luf::oracle {
namespace {

// Linux's array of struct page, without KASLR; 64 bytes each.
constexpr std::uint64_t kVmemmap = 0xffffea0000000000;
constexpr std::uint64_t kVmemmapFiveLevels = 0xffd4000000000000;
constexpr std::uint64_t kPageStructBytes = 64;
constexpr std::size_t kMappingAt = 24;
constexpr std::size_t kIndexAt = 32;
constexpr std::size_t kReferencesAt = 52;
constexpr std::int32_t kMostReferences = 1 << 24;

/// How often a stale translation may be used before it is looked at again: device writes are seen by content only.
constexpr std::uint64_t kLookAgain = 256;

std::uint64_t monotonic_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

template <typename T>
T field(const std::byte* at, std::size_t offset) {
  T value;
  __atomic_load(reinterpret_cast<const T*>(at + offset), &value, __ATOMIC_RELAXED);
  return value;
}

void add(Histogram& sum, const Histogram& part) {
  for (std::size_t i = 0; i < sum.buckets.size(); ++i) sum.buckets[i] += part.buckets[i];
}

std::optional<Difference> first_difference(const std::byte* before, const std::byte* after) {
  if (before == nullptr || after == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < kPageBytes; ++i) {
    if (before[i] == after[i]) continue;
    Difference difference;
    difference.offset = i;
    const std::size_t length = std::min(difference.before.size(), kPageBytes - i);
    std::memcpy(difference.before.data(), before + i, length);
    std::memcpy(difference.after.data(), after + i, length);
    return difference;
  }
  return std::nullopt;
}

}  // namespace

Oracle::Oracle(GuestMemory memory, std::vector<Vcpu>& vcpus, int icount_shift, const Symbols& kernel)
    : memory_(std::move(memory)),
      vcpus_(vcpus),
      icount_shift_(icount_shift),
      start_ns_(monotonic_ns()),
      flags_(memory_.frames()),
      tasks_(memory_, kernel),
      tables_(memory_, flags_),
      page_structs_(memory_.frames()) {}

Moment Oracle::now() const {
  Moment moment;
  for (const Vcpu& vcpu : vcpus_)
    moment.instructions += __atomic_load_n(&vcpu.instructions, __ATOMIC_RELAXED);
  // QEMU's own clock must not be read inside a translation block under icount.
  moment.ns = icount_shift_ < 0 ? monotonic_ns() - start_ns_ : moment.instructions << icount_shift_;
  return moment;
}

Actor Oracle::actor(const Vcpu& vcpu, std::uint64_t pc) const {
  Actor actor;
  actor.vcpu = vcpu.index;
  actor.pc = pc;
  actor.root = vcpu.paging.root();
  actor.task = tasks_.running(vcpu.paging, vcpu.per_cpu_area);
  actor.syscall = vcpu.syscall;
  return actor;
}

void Oracle::check(Vcpu& vcpu, const Access& access) {
  const std::uint64_t before = stamp(vcpu);
  const Translation truth = walk(memory_, vcpu.paging, access.address);
  if (!truth.decided) {
    ++vcpu.undecided;
    return;
  }
  const bool allowed = (access.by_kernel || truth.user) && (access.kind != kStore || truth.writable) &&
                       (access.kind != kFetch || truth.executable);
  if (truth.present && truth.frame == access.frame && allowed) {
    clean(vcpu, access, truth, before);
  } else {
    stale(vcpu, access, truth, before);
  }
}

void Oracle::clean(Vcpu& vcpu, const Access& access, const Translation& truth, std::uint64_t stamp_before) {
  if (!tables_.known(truth)) {
    const std::lock_guard<std::mutex> guard(lock_);
    tables_.use(vcpu.paging, access.address, truth);
  }
  const std::uint64_t key = this->key(access.address, access.tlb);
  Verified& seen = vcpu.verified[key % Vcpu::kVerified];
  seen.key = key;
  seen.stamp = stamp_before;
  seen.frame = access.frame;
  seen.may =
      static_cast<std::uint8_t>(kLoad | (truth.writable ? kStore : 0) | (truth.executable ? kFetch : 0));
  StaleEntry& entry = vcpu.stale[key % Vcpu::kStale];
  // A load agrees with an entry that only forbids stores.
  if (entry.key == key && (entry.access & seen.may) != 0) end_of_staleness(vcpu, entry);
}

void Oracle::end_of_staleness(Vcpu& vcpu, StaleEntry& entry) {
  vcpu.clear_to_last.add(entry.last_ns - entry.since_ns);
  vcpu.clear_to_flush.add(now().ns - entry.since_ns);
  entry = {};
}

void Oracle::flushed(Vcpu& vcpu) {
  ++vcpu.switches;
  vcpu.syscall = 0;  // perhaps another task
  for (StaleEntry& entry : vcpu.stale) {
    if (entry.key != 0) end_of_staleness(vcpu, entry);
  }
}

void Oracle::stale(Vcpu& vcpu, const Access& access, const Translation& truth, std::uint64_t stamp_before) {
  const std::uint64_t key = this->key(access.address, access.tlb);
  StaleEntry& entry = vcpu.stale[key % Vcpu::kStale];
  const bool same = entry.key == key && entry.frame == access.frame;
  const std::uint64_t facts = facts_.load(std::memory_order_acquire);
  if (!same || entry.stamp != stamp_before || entry.facts != facts || entry.access != access.kind ||
      entry.uses % kLookAgain == 0) {
    if (!same && entry.key != 0) end_of_staleness(vcpu, entry);
    if (!same) entry = {};
    entry.key = key;
    entry.frame = access.frame;
    entry.stamp = stamp_before;
    entry.facts = facts;
    entry.access = access.kind;
    judge(vcpu, access, truth, entry);
  } else if (entry.finding != nullptr) {
    entry.finding->count.fetch_add(1, std::memory_order_relaxed);
  }
  ++entry.uses;
  ++vcpu.stale_accesses[static_cast<std::size_t>(entry.cls)];
  entry.last_ns = now().ns;
  if (entry.since_ns == 0 || entry.last_ns < entry.since_ns) entry.since_ns = entry.last_ns;
  vcpu.ages[static_cast<std::size_t>(entry.cls)].add(entry.last_ns - entry.since_ns);
}

std::optional<bool> Oracle::bytes_changed(const Change& change, std::uint64_t frame) const {
  const std::byte* before = changes_.content(change);
  const std::byte* after = memory_.at(frame << kPageShift);
  if (before == nullptr || after == nullptr) return std::nullopt;
  return std::memcmp(before, after, kPageBytes) != 0;
}

void Oracle::judge(Vcpu& vcpu, const Access& access, const Translation& truth, StaleEntry& entry) {
  const std::lock_guard<std::mutex> guard(lock_);
  // While that holds the log knows at best of an older time at which the same entry stopped being true.
  const bool under_way = tables_.change_under_way(truth, access.address, access.frame);
  Change* change =
      under_way ? nullptr : changes_.find(vcpu.paging.root(), access.address >> kPageShift, access.frame);
  Evidence evidence;
  evidence.access = access.kind;
  evidence.change = change;
  evidence.under_way = under_way;
  if (change != nullptr) {
    evidence.owner_now = owner_of(vcpu.paging, access.frame);
    // Of a large entry no content is kept.
    if (change->level == 1) evidence.bytes_changed = bytes_changed(*change, access.frame);
    change->stored_stale = change->stored_stale || access.kind == kStore;
    entry.since_ns = change->when.ns;
    flags_.set(access.frame, FrameFlags::kReached);
  } else {
    entry.since_ns = 0;
  }
  const Judgement judgement = classify(evidence);
  entry.cls = judgement.cls;
  entry.finding = nullptr;
  if (judgement.cls == Class::kUnknown && unknown_.size() < kMostUnknown)
    unknown_.push_back({access, vcpu.paging.root(), truth, judgement.reason});
  if (judgement.cls != Class::kViolation) return;
  const std::uint64_t print = fingerprint(judgement, phase_, access.kind, access.pc, *change);
  entry.finding = findings_.find(print);
  if (entry.finding != nullptr) {
    entry.finding->count.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  auto finding = std::make_unique<Finding>();
  finding->fingerprint = print;
  finding->phase = phase_;
  finding->rule = judgement.rule;
  finding->reason = judgement.reason;
  finding->access = access.kind;
  finding->by_kernel = access.by_kernel;
  finding->by = actor(vcpu, access.pc);
  finding->address = access.address;
  finding->frame = access.frame;
  finding->entry_now = truth.entry;
  finding->level_now = truth.level;
  finding->when = now();
  finding->change = *change;
  finding->owner_now = evidence.owner_now;
  if (change->level == 1)
    finding->difference = first_difference(changes_.content(*change), memory_.at(access.frame << kPageShift));
  entry.finding = findings_.add(std::move(finding));
}

void Oracle::stored(Vcpu& vcpu, std::uint64_t physical, std::uint64_t bytes, std::uint64_t pc) {
  const std::uint8_t flags = flags_.get(physical >> kPageShift);
  const std::lock_guard<std::mutex> guard(lock_);
  if ((flags & FrameFlags::kTable) != 0)
    tables_.stored(physical, bytes, [&](const Change& change) { changed(vcpu, pc, change); });
  if ((flags & FrameFlags::kReached) != 0) stored_to_reached(vcpu, physical, pc);
}

void Oracle::changed(Vcpu& vcpu, std::uint64_t pc, Change change) {
  change.actor = actor(vcpu, pc);
  change.when = now();
  const std::byte* content = nullptr;
  if (change.frame < flags_.frames()) {
    change.owner = owner_of(vcpu.paging, change.frame);
    change.owner.known =
        change.owner.known && change.owner.references > 0 && change.owner.references < kMostReferences;
    if (change.level == 1 && change.kind != ChangeKind::kRestricted)
      content = memory_.at(change.frame << kPageShift);
  }
  changes_.add(change, content);
  (change.used ? epoch_ : facts_).fetch_add(1, std::memory_order_release);
}

void Oracle::stored_to_reached(Vcpu& vcpu, std::uint64_t physical, std::uint64_t pc) {
  const std::uint64_t frame = physical >> kPageShift;
  const Moment moment = now();
  const Owner owner = owner_of(vcpu.paging, frame);
  changes_.each_of_frame(frame, [&](Change& change) {
    if (ownerless(change.owner, owner)) change.stored_ownerless = true;
    if (!change.stored) {
      change.stored = true;
      change.storer = actor(vcpu, pc);
      change.stored_at = moment;
      change.stored_offset = physical % kPageBytes;
    }
    if (!change.reuse_counted &&
        (ownerless(change.owner, owner) || has_new_owner(change.owner, owner, change.deferred))) {
      change.reuse_counted = true;
      clear_to_reuse_.add(moment.ns - change.when.ns);
    }
  });
  // The next stale access through it sets the flag again.
  flags_.clear(frame, FrameFlags::kReached);
  facts_.fetch_add(1, std::memory_order_release);
}

Owner Oracle::owner_of(const PagingState& paging, std::uint64_t frame) {
  Owner owner;
  if (frame >= page_structs_.size()) return owner;
  const std::byte*& at = page_structs_[frame];
  if (at == nullptr) {
    const std::uint64_t base = paging.five_levels ? kVmemmapFiveLevels : kVmemmap;
    const std::uint64_t address = base + frame * kPageStructBytes;
    const Translation where = walk(memory_, paging, address);
    if (!where.present || where.user) return owner;
    at = memory_.at((where.frame << kPageShift) + address % kPageBytes);
    if (at == nullptr) return owner;
  }
  owner.known = true;
  owner.mapping = field<std::uint64_t>(at, kMappingAt);
  owner.index = field<std::uint64_t>(at, kIndexAt);
  owner.references = field<std::int32_t>(at, kReferencesAt);
  return owner;
}

std::uint64_t Oracle::changes_so_far() {
  const std::lock_guard<std::mutex> guard(lock_);
  return changes_.added();
}

void Oracle::keep(Promise& slot, const Promise& promise) {
  if (slot.rule == 0 || (promise.forbids & ~slot.forbids) != 0) slot = promise;
}

void Oracle::promise(std::uint64_t root, std::uint64_t page, std::uint64_t pages, Promise promise,
                     std::uint64_t before, std::uint64_t syscall) {
  promise.when = now();
  const std::lock_guard<std::mutex> guard(lock_);
  changes_.each_of_range(root, page, pages, [&](Change& change) {
    const bool own = syscall != 0 && change.actor.syscall == syscall;
    if (change.serial <= before || own) keep(promise.at_once ? change.strong : change.weak, promise);
  });
  facts_.fetch_add(1, std::memory_order_release);
}

void Oracle::promise_file(std::uint64_t mapping, Promise promise, std::uint64_t before) {
  promise.when = now();
  const std::lock_guard<std::mutex> guard(lock_);
  const auto file = deferred_of_file_.find(mapping);
  if (file == deferred_of_file_.end()) return;
  std::erase_if(file->second, [&](std::uint64_t serial) {
    Change* change = changes_.by_serial(serial);
    if (change != nullptr && serial <= before) keep(change->weak, promise);
    return change == nullptr || serial <= before;
  });
  if (file->second.empty()) deferred_of_file_.erase(file);
  facts_.fetch_add(1, std::memory_order_release);
}

void Oracle::deferred(std::uint64_t frame) {
  const Moment moment = now();
  const std::lock_guard<std::mutex> guard(lock_);
  changes_.each_of_frame(frame, [&](Change& change) {
    if (change.deferred || change.kind == ChangeKind::kRestricted) return;
    change.deferred = true;
    change.deferred_at = moment;
    if (change.owner.known) deferred_of_file_[change.owner.mapping].push_back(change.serial);
  });
  facts_.fetch_add(1, std::memory_order_release);
}

void Oracle::ring(Vcpu& vcpu, const protocol::RingWord& word) {
  using protocol::Ring;
  std::uint64_t before = 0;
  {
    const std::lock_guard<std::mutex> guard(lock_);
    if (word.ring == Ring::kPhase) phase_ = static_cast<int>(word.page);
    if (word.ring == Ring::kMark) marks_[word.mark] = changes_.added();
    before = marks_[word.mark];
  }
  if (word.ring != Ring::kPromise && word.ring != Ring::kSettled) return;
  Promise told;
  told.rule = word.rule;
  told.forbids = word.rule == 7 ? kStore : kAnyAccess;  // R7 is of stores
  told.at_once = word.ring == Ring::kSettled;
  told.what = "the program said that the promise had passed";
  told.vcpu = vcpu.index;
  promise(vcpu.paging.root(), word.page, 1, told, before, 0);
}

Oracle::Numbers Oracle::numbers() {
  Numbers sum;
  for (const Vcpu& vcpu : vcpus_) {
    sum.checked += vcpu.checked;
    sum.undecided += vcpu.undecided;
    sum.instructions += vcpu.instructions;
    add(sum.clear_to_flush, vcpu.clear_to_flush);
    add(sum.clear_to_last, vcpu.clear_to_last);
    for (std::size_t i = 0; i < kClasses; ++i) {
      sum.classes[i] += vcpu.stale_accesses[i];
      add(sum.ages[i], vcpu.ages[i]);
    }
  }
  const std::lock_guard<std::mutex> guard(lock_);
  sum.changes = changes_.added();
  sum.tables = tables_.tables();
  sum.clear_to_reuse = clear_to_reuse_;
  return sum;
}

}  // namespace luf::oracle
