// The oracle: compares the translations that CPUs use with what the page tables say, and judges what differs.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "change_log.h"
#include "classify.h"
#include "finding.h"
#include "protocol/doorbell.h"
#include "table_watch.h"
#include "tasks.h"
#include "vcpu.h"

namespace luf::oracle {

/// One access by one CPU, and the frame that its TLB translated it to.
struct Access {
  std::uint8_t kind = kLoad;
  bool by_kernel = false;
  unsigned tlb = 0;  ///< which of the soft TLB's tables
  std::uint64_t address = 0;
  std::uint64_t pc = 0;
  std::uint64_t frame = 0;
};

/// Thread: any vCPU's, each with its own Vcpu; one lock guards what they share.
class Oracle {
 public:
  /// `icount_shift` is negative when virtual time is the host's.
  Oracle(GuestMemory memory, std::vector<Vcpu>& vcpus, int icount_shift, const Symbols& kernel);

  /// When nothing can have changed since this translation was found true: what is known of it, at the price of a few
  /// comparisons; null otherwise. A store then still has to be asked for with `flags`.
  const Verified* verified(const Vcpu& vcpu, std::uint64_t key, std::uint8_t kind) const {
    const Verified& seen = vcpu.verified[key % Vcpu::kVerified];
    return seen.key == key && seen.stamp == stamp(vcpu) && (seen.may & kind) != 0 ? &seen : nullptr;
  }
  static std::uint64_t key(std::uint64_t address, unsigned tlb) {
    return (address >> kPageShift) + (std::uint64_t{tlb + 1} << 52U);
  }

  /// The full check.
  void check(Vcpu& vcpu, const Access& access);

  /// What must be told of a store to this frame: FrameFlags.
  std::uint8_t flags(std::uint64_t frame) const { return flags_.get(frame); }
  /// A store happened to a frame with flags.
  void stored(Vcpu& vcpu, std::uint64_t physical, std::uint64_t bytes, std::uint64_t pc);

  /// A control register that decides translations was written: this CPU's TLB is empty.
  void flushed(Vcpu& vcpu);

  /// From now on the old translations of these pages must not be used: those that changed before `before` (a serial of
  /// `changes_so_far`), and those that the system call `syscall` changed itself.
  void promise(std::uint64_t root, std::uint64_t page, std::uint64_t pages, Promise promise,
               std::uint64_t before, std::uint64_t syscall);
  /// The same for every frame of a file whose flush is deferred; the first promise is the one that counts.
  void promise_file(std::uint64_t mapping, Promise promise, std::uint64_t before);
  std::uint64_t changes_so_far();

  /// The unmapper of this frame is known to have gone on without its flush.
  void deferred(std::uint64_t frame);

  void ring(Vcpu& vcpu, const protocol::RingWord& word);

  Moment now() const;
  const GuestMemory& memory() const { return memory_; }
  std::uint64_t frames() const { return flags_.frames(); }

  /// All that is known, for reports. The findings stay valid.
  struct Numbers {
    std::uint64_t checked = 0;
    std::uint64_t undecided = 0;
    std::uint64_t instructions = 0;
    std::uint64_t changes = 0;
    std::uint64_t tables = 0;
    std::array<std::uint64_t, kClasses> classes{};
    std::array<Histogram, kClasses> ages;
    Histogram clear_to_flush;
    Histogram clear_to_last;
    Histogram clear_to_reuse;
  };
  Numbers numbers();
  Findings& findings() { return findings_; }

  /// The first stale accesses that could not be judged.
  struct Unknown {
    Access access;
    std::uint64_t root = 0;
    Translation truth;
    const char* reason = "";
  };
  static constexpr std::size_t kMostUnknown = 8;
  const std::vector<Unknown>& unknown() const { return unknown_; }

 private:
  std::uint64_t stamp(const Vcpu& vcpu) const {
    return epoch_.load(std::memory_order_acquire) + (vcpu.switches << 40U);
  }
  void clean(Vcpu& vcpu, const Access& access, const Translation& truth, std::uint64_t stamp_before);
  void stale(Vcpu& vcpu, const Access& access, const Translation& truth, std::uint64_t stamp_before);
  void judge(Vcpu& vcpu, const Access& access, const Translation& truth, StaleEntry& entry);
  void end_of_staleness(Vcpu& vcpu, StaleEntry& entry);
  void changed(Vcpu& vcpu, std::uint64_t pc, Change change);
  void stored_to_reached(Vcpu& vcpu, std::uint64_t physical, std::uint64_t pc);
  Actor actor(const Vcpu& vcpu, std::uint64_t pc) const;
  Owner owner_of(const PagingState& paging, std::uint64_t frame);
  std::optional<bool> bytes_changed(const Change& change, std::uint64_t frame) const;
  static void keep(Promise& slot, const Promise& promise);

  GuestMemory memory_;
  std::vector<Vcpu>& vcpus_;
  int icount_shift_;
  std::uint64_t start_ns_ = 0;
  FrameFlags flags_;
  Tasks tasks_;
  std::atomic<std::uint64_t> epoch_{1};  ///< moves when a used translation stops being true
  // Moves when something is learnt that a class may rest on. On a line of its own: what stands above is read at every
  // access, by all CPUs.
  alignas(64) std::atomic<std::uint64_t> facts_{1};
  std::mutex lock_;  ///< guards all below
  TableWatch tables_;
  ChangeLog changes_;
  std::vector<const std::byte*> page_structs_;  ///< by frame; null: not looked for yet
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> deferred_of_file_;  ///< serials, by mapping
  Histogram clear_to_reuse_;
  std::array<std::uint64_t, protocol::kMarks> marks_{};  ///< of the doorbell: how many changes there had been
  int phase_ = -1;
  std::vector<Unknown> unknown_;
  Findings findings_;
};

}  // namespace luf::oracle
