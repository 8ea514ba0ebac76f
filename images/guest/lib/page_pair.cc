#include "lib/page_pair.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/doorbell.h"
#include "lib/unmappers.h"

namespace luf::guest {

namespace {

constexpr std::uint64_t kBusy = 0;
constexpr std::uint64_t kExtraEvery = 16;  ///< rounds between two acts on a page that is still mapped

bool is_zero(const Line& line) { return line == Line{}; }

/// Of the page's own line, of zeros, or of both: a flush may fall between the loads of a line.
bool own_or_zero(const Line& line, std::uint64_t owner, std::uint64_t page, std::uint64_t number) {
  const auto either = [](std::uint64_t word, std::uint64_t own) { return word == 0 || word == own; };
  return either(line.magic, kLineMagic) && either(line.owner, owner) && either(line.page, page) &&
         either(line.line, number) && either(line.filler[0], kLineFiller) &&
         either(line.filler[1], kLineFiller);
}

/// The line of that version, zeros, or some words of each.
bool partly_zero(const Line& seen, const Line& line) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(&seen);
  const auto* own = reinterpret_cast<const std::uint64_t*>(&line);
  for (std::size_t word = 0; word < kWordsPerLine; ++word) {
    if (words[word] != 0 && words[word] != own[word]) return false;
  }
  return true;
}

}  // namespace

void PagePair::begin(std::uint64_t page) {
  told_[page].store(kBusy, std::memory_order_seq_cst);  // B sees it before it can see anything of the act
  acts_[page].fetch_add(1, std::memory_order_relaxed);
  ring_mark(mark(page));
}

unsigned PagePair::mark(std::uint64_t page) const {
  return act_mark(context_.index(), page, acts_[page].load(std::memory_order_relaxed));
}

void PagePair::tell(std::uint64_t page, std::uint64_t expected, const PairPromise& promise) {
  (promise.settle_ms ? ring_promise : ring_settled)(promise.rule, mark(page), address(page));
  keep(page, expected, promise);
}

void PagePair::keep(std::uint64_t page, std::uint64_t expected, const PairPromise& promise) {
  promise_[page].store(&promise, std::memory_order_relaxed);
  told_[page].store(expected, std::memory_order_release);
  for (Backoff backoff; answer_[page].load(std::memory_order_acquire) != expected && !context_.stopping();)
    backoff.pause();
}

PagePair::Look PagePair::look(std::uint64_t page, std::uint64_t line, std::uint64_t expected, Line& seen) {
  const bool loaded = access_(reinterpret_cast<const Line*>(address(page)) + line, seen);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (told_[page].load(std::memory_order_acquire) != expected) return Look::moved;
  const PairPromise& promise = *promise_[page].load(std::memory_order_relaxed);
  if (!loaded) {
    if (expected == kFault || expected == kZeros) return Look::agrees;
    // No old entry led anywhere; A must not wait for bytes that reclaim has taken.
    if (promise.may_vanish) return Look::agrees;
    context_.fail("an access to page %llu faulted", static_cast<unsigned long long>(page));
  }
  if (expected == kFault) return Look::old;
  if (expected == kZeros && is_zero(seen)) return Look::agrees;
  if (promise.may_be_zeros && partly_zero(seen, make_line(context_.owner(), page, expected, line)))
    return Look::agrees;
  // What a page has lost, zeros stand for, until it is written anew.
  const bool zeros = expected == kZeros || answer_[page].load(std::memory_order_relaxed) == kZeros;
  const bool own = zeros ? own_or_zero(seen, context_.owner(), page, line)
                         : same_place(seen, context_.owner(), page, line);
  if (!own) return Look::foreign;
  return seen.version == expected && well_formed(seen) ? Look::agrees : Look::old;
}

void PagePair::report(std::uint64_t page, std::uint64_t expected, const Line& seen, Look result,
                      std::uint64_t ticks) {
  const PairPromise& promise = *promise_[page].load(std::memory_order_relaxed);
  char detail[256];
  std::snprintf(detail, sizeof(detail), "A thread read %s at page %llu although %.*s.",
                describe_line(seen).c_str(), static_cast<unsigned long long>(page),
                static_cast<int>(promise.clause.size()), promise.clause.data());
  Evidence evidence;
  evidence.number("page", page);
  if (expected < kZeros) evidence.number("expected_version", expected);
  evidence.number("stale_ticks", ticks);
  evidence.line("seen", seen);
  context_.report(result == Look::foreign ? "R8" : promise.rule, detail, evidence);
}

/// Thread B's look at one page. Partner of begin() and tell().
void PagePair::check_page(std::uint64_t page, std::uint64_t line, std::atomic<std::uint64_t>& brief) {
  const std::uint64_t expected = told_[page].load(std::memory_order_acquire);
  if (expected == kBusy) return;
  if (expected == kFault && answer_[page].load(std::memory_order_relaxed) == kFault) return;
  Line seen{};
  Look result = look(page, line, expected, seen);
  std::uint64_t ticks = 0;
  if (result == Look::old) {
    const std::optional<std::uint64_t> settle_ms = promise_[page].load(std::memory_order_relaxed)->settle_ms;
    const std::uint64_t first_tick = context_.tick().load(std::memory_order_relaxed);
    const UnmappersReturned unmappers(context_.area());
    for (bool settled = !settle_ms; result == Look::old && !settled && !context_.stopping();) {
      ticks = context_.tick().load(std::memory_order_relaxed) - first_tick;
      settled = ticks >= *settle_ms && unmappers.all();
      if (settled) ring_settled(promise_[page].load()->rule, mark(page), address(page));
      result = look(page, line, expected, seen);
      if (result == Look::agrees) brief.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (result == Look::moved || context_.stopping()) return;
  if (result != Look::agrees) report(page, expected, seen, result, ticks);
  answer_[page].store(expected, std::memory_order_release);
}

/// Thread B.
void PagePair::read_pages() {
  const unsigned cpu = context_.reader_cpu(0);
  if (!pin_to_cpu(cpu)) context_.fail("pin to CPU %u: %s", cpu, std::strerror(errno));
  auto& brief = context_.metric("brief");
  context_.spin_for_start();
  for (std::uint64_t line = first_line_; !context_.stopping();) {
    for (std::uint64_t page = 0; page < pages_; ++page) check_page(page, line, brief);
    context_.loads().fetch_add(pages_ * kWordsPerLine, std::memory_order_relaxed);
    if (++line == kLinesPerPage) line = first_line_;
  }
}

void PagePair::run(std::uint64_t version, Absence absence,
                   const std::function<void(std::uint64_t page)>& act) {
  static constexpr PairPromise kNothingYet{"R8", "nothing has happened to it", std::nullopt, true};
  auto& tries = context_.metric("tries");
  auto& promises = context_.metric("promises");
  const std::uint64_t period = context_.number("period");
  PageTableView table(context_, view_, pages_);
  for (std::uint64_t page = 0; page < pages_; ++page) {
    promise_[page].store(&kNothingYet);
    told_[page].store(version);
  }
  pthread_t reader{};
  const auto read = [](void* pair) -> void* {
    static_cast<PagePair*>(pair)->read_pages();
    return nullptr;
  };
  if (pthread_create(&reader, nullptr, read, this) != 0) context_.fail("cannot make the reading thread");
  context_.add_target(getpid(), view_, pages_ * kPageSize);
  context_.spin_for_start();
  for (std::uint64_t round = 0; !context_.stopping(); ++round) {
    table.refresh();
    const std::uint64_t extra = round % kExtraEvery == 0 ? (round / kExtraEvery * 2 + 1) % pages_ : 0;
    for (std::uint64_t page = 1; page < pages_ && !context_.stopping(); page += 2) {
      const bool absent = table.absent(page, absence);
      if (!absent && page != extra) continue;
      if (absent) promises.fetch_add(1);
      tries.fetch_add(1);
      act(page);
      table.refresh();  // most acts flush, and B brings the other pages back
    }
    sleep_ns(period);
  }
  pthread_join(reader, nullptr);
}

void run_pair_process(PartContext& context, const std::function<void()>& body) {
  if (context.number("pages") > kMaxPairPages)
    context.fail("pages: at most %llu", static_cast<unsigned long long>(kMaxPairPages));
  for (const char* name : {"tries", "promises", "brief"}) context.metric(name);
  context.fork_pinned(context.worker_cpu(1), [&] {
    if (!install_load_guard()) context.fail("sigaction: %s", std::strerror(errno));
    body();
  });
  pin_to_cpu(context.worker_cpu(0));  // where reclaim runs: see VersionWatch::settle_ticks
  context.wait_for_start();
  context.supervise();
}

}  // namespace luf::guest
