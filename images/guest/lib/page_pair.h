// Two threads of one process on the same pages: A acts on a page and tells what must hold from then on, B reads
// all pages and answers. A waits for the answer, so B has a translation of the page again before the next act.
//
//   A  begin()   B may not judge the page
//      act       and with its return the promise
//      tell()    publishes what must be seen (release), waits for B
//   B            loads what must be seen (acquire), a line of the page, then what must be seen again: when
//                that has not moved, the line must agree
//
// B makes no system call, and its loads may fault. Every second page is acted on, when unmapping has taken its
// PTE; now and then also one that is still mapped, whose ordinary flush is a promise as well. The other pages
// keep the page table, whose release would flush everything, and are read all the same. `tries` counts acts,
// `promises` those on pages whose PTE was gone: only they can show a missing flush.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "lib/guarded_load.h"
#include "lib/page_file.h"
#include "lib/residency.h"

namespace luf::guest {

inline constexpr std::uint64_t kMaxPairPages = 60;

/// What tell() may say instead of a version of the page's own lines.
inline constexpr std::uint64_t kFault = ~std::uint64_t{0};  ///< the load must fault
inline constexpr std::uint64_t kZeros = kFault - 1;         ///< the load reads zeros, or faults

/// What a page's state rests on. Lives as long as the detector.
struct PairPromise {
  std::string_view rule;    ///< broken when B sees what was there before
  std::string_view clause;  ///< what had passed: "munmap() had returned"
  /// Milliseconds for which the old data must stay, besides the time until all injectors' calls have returned
  /// (lib/unmappers.h). None for what flushes even a batch in flight (docs/contract.md).
  std::optional<std::uint64_t> settle_ms;
  /// Reclaim may leave nothing in the page's place: a load of its version that faults says nothing.
  bool may_vanish = false;
  /// The same where zeros are read of a page that is gone.
  bool may_be_zeros = false;
};

/// How B reaches a line: puts what is there into `seen`, or returns false when it faulted. No system call that waits.
using PairAccess = std::function<bool(const Line* at, Line& seen)>;

class PagePair {
 public:
  /// B looks at the lines from `first_line` on.
  PagePair(PartContext& context, char* view, std::uint64_t pages, std::uint64_t first_line = 0,
           PairAccess access = guarded_load)
      : context_(context), view_(view), pages_(pages), first_line_(first_line), access_(std::move(access)) {}

  char* address(std::uint64_t page) const { return view_ + page * kPageSize; }

  /// Thread A. `promise` must live as long as this object.
  void begin(std::uint64_t page);
  void tell(std::uint64_t page, std::uint64_t expected, const PairPromise& promise);
  /// Instead of tell() when the act could not be done: B goes on, and the oracle hears of no promise.
  void keep(std::uint64_t page, std::uint64_t expected, const PairPromise& promise);

  /// Thread A until the phase stops: makes thread B, then calls `act` for page after page. All pages are in
  /// version `version` at first; `act` leaves its page in a version. Fails the part on an error.
  void run(std::uint64_t version, Absence absence, const std::function<void(std::uint64_t page)>& act);

 private:
  enum class Look { agrees, moved, old, foreign };

  /// What the oracle knows the last act on the page by.
  unsigned mark(std::uint64_t page) const;
  void read_pages();
  void check_page(std::uint64_t page, std::uint64_t line, std::atomic<std::uint64_t>& brief);
  Look look(std::uint64_t page, std::uint64_t line, std::uint64_t expected, Line& seen);
  void report(std::uint64_t page, std::uint64_t expected, const Line& seen, Look result, std::uint64_t ticks);

  PartContext& context_;
  char* view_;
  std::uint64_t pages_;
  std::uint64_t first_line_;
  PairAccess access_;
  /// Written by A only, `promise_` before `told_`; 0: B may not judge.
  std::array<std::atomic<std::uint64_t>, kMaxPairPages> told_{};
  std::array<std::atomic<const PairPromise*>, kMaxPairPages> promise_{};
  std::array<std::atomic<std::uint64_t>, kMaxPairPages> acts_{};
  /// What B has judged last. Written by B only.
  std::array<std::atomic<std::uint64_t>, kMaxPairPages> answer_{};
};

/// The whole of a detector with the parameter `pages` at most kMaxPairPages: runs `body` in a process of its
/// own on A's CPU, with loads that may fault.
void run_pair_process(PartContext& context, const std::function<void()>& body);

}  // namespace luf::guest
