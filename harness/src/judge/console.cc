#include "judge/console.h"

#include <algorithm>
#include <array>
#include <utility>

namespace luf::judge {
namespace {

struct Pattern {
  std::string_view kind;
  ConsoleMeaning meaning;
  std::string_view first;   ///< must stand in the line
  std::string_view second;  ///< must follow it; may be empty
};

using enum ConsoleMeaning;

/// The first pattern that fits a line counts, so the special ones stand before the general ones.
constexpr std::array kPatterns{
    Pattern{"bad_initramfs", kBadImage, "Initramfs unpacking failed", ""},
    Pattern{"no_root", kBadImage, "Unable to mount root fs", ""},
    Pattern{"no_init", kBadImage, "No working init found", ""},
    Pattern{"no_init", kBadImage, "Requested init ", " failed"},
    Pattern{"kasan", kGuestFault, "BUG: KASAN:", ""},
    Pattern{"kfence", kGuestFault, "BUG: KFENCE:", ""},
    // Races of Linux 6.12 itself that were looked at: a seqcount latch, a bit of the folio flags beside those that are
    // copied, a look at jiffies, at counters of other CPUs, at the mask of idle CPUs. Any other one counts.
    Pattern{"kcsan_of_linux", kNote, "KCSAN: data-race in ktime_get_mono_fast_ns / timekeeping_update", ""},
    Pattern{"kcsan_of_linux", kNote,
            "KCSAN: data-race in __folio_migrate_mapping / migration_entry_wait_on_locked", ""},
    Pattern{"kcsan_of_linux", kNote,
            "KCSAN: data-race in mem_cgroup_flush_stats_ratelimited / tick_do_update_jiffies64", ""},
    Pattern{"kcsan_of_linux", kNote,
            "KCSAN: data-race in __percpu_counter_limited_add / __percpu_counter_limited_add", ""},
    Pattern{"kcsan_of_linux", kNote, "KCSAN: data-race in all_vm_events+", ""},
    Pattern{"kcsan_of_linux", kNote, "KCSAN: data-race in _find_next_bit+", " called by _nohz_idle_balance"},
    Pattern{"kcsan", kGuestFault, "BUG: KCSAN:", ""},
    Pattern{"soft_lockup", kLockup, "BUG: soft lockup", ""},
    Pattern{"hard_lockup", kLockup, "hard LOCKUP", ""},
    Pattern{"bad_page", kGuestFault, "BUG: Bad page", ""},
    Pattern{"bad_page", kGuestFault, "BUG: Bad rss-counter", ""},
    Pattern{"page_poison", kGuestFault, "pagealloc: ", "corruption"},
    Pattern{"bug", kGuestFault, "kernel BUG at ", ""},
    Pattern{"bug", kGuestFault, "BUG: ", ""},
    Pattern{"oops", kGuestFault, "Oops: ", ""},
    Pattern{"oops", kGuestFault, "general protection fault", ""},
    Pattern{"panic", kGuestFault, "Kernel panic - not syncing", ""},
    Pattern{"lockdep", kGuestFault, "WARNING: possible ", "detected"},
    Pattern{"lockdep", kGuestFault, "WARNING: inconsistent lock state", ""},
    Pattern{"lockdep", kGuestFault, "WARNING: suspicious RCU usage", ""},
    Pattern{"lockdep", kGuestFault, "WARNING: bad unlock balance", ""},
    Pattern{"lockdep", kGuestFault, "WARNING: held lock freed", ""},
    Pattern{"lockdep", kGuestFault, "WARNING: lock held when returning", ""},
    Pattern{"ubsan", kGuestFault, "UBSAN: ", ""},
    Pattern{"warning", kGuestFault, "WARNING: ", " at "},
    Pattern{"hung_task", kLockup, "INFO: task ", "blocked for more than"},
    Pattern{"rcu_stall", kLockup, "rcu: INFO: ", "stall"},
    Pattern{"out_of_memory", kGuestFault, "Out of memory: Killed process", ""},
    Pattern{"allocation_failure", kNote, "page allocation failure: order:", ""},
    Pattern{"cgroup_out_of_memory", kNote, "Memory cgroup out of memory: Killed process", ""},
};

bool fits(const Pattern& pattern, std::string_view line) {
  const std::size_t at = line.find(pattern.first);
  if (at == std::string_view::npos) return false;
  return line.find(pattern.second, at + pattern.first.size()) != std::string_view::npos;
}

/// "[    1.234567][   T12] text" -> "text"
std::string_view without_stamp(std::string_view line) {
  while (line.starts_with('[')) {
    const std::size_t end = line.find(']');
    const bool is_stamp =
        end != std::string_view::npos &&
        line.substr(1, end - 1).find_first_not_of(" .0123456789TC") == std::string_view::npos;
    if (!is_stamp) break;
    line.remove_prefix(end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
  return line;
}

/// The line at the front of `text`, which loses it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (line.ends_with('\r')) line.remove_suffix(1);
  return without_stamp(line);
}

/// " called by FRAME" where `line` is the title of a KCSAN report that knows one side of a race only, else empty. Such a
/// title may name no more than a helper that everybody calls, so who called it tells what the race is about.
std::string caller_of(std::string_view line, std::string_view rest) {
  constexpr std::string_view kTitle = "BUG: KCSAN: data-race in ";
  const std::size_t at = line.find(kTitle);
  if (at == std::string_view::npos || line.find(" / ", at) != std::string_view::npos) return {};
  const std::string_view callee = line.substr(at + kTitle.size());
  for (bool found = false; !rest.empty();) {
    const std::string_view frame = take_line(rest);
    if (found) return " called by " + std::string(frame);
    if (frame.starts_with("=====")) break;  // the end of the report
    found = frame == callee;
  }
  return {};
}

}  // namespace

std::string_view to_string(ConsoleMeaning meaning) {
  switch (meaning) {
    case kGuestFault:
      return "guest_fault";
    case kLockup:
      return "lockup";
    case kBadImage:
      return "bad_image";
    case kNote:
      return "note";
  }
  return "note";
}

std::vector<ConsoleHit> scan_console(std::string_view text) {
  std::vector<ConsoleHit> hits;
  while (!text.empty()) {
    std::string line(take_line(text));
    line += caller_of(line, text);
    const auto pattern = std::find_if(kPatterns.begin(), kPatterns.end(),
                                      [&line](const Pattern& candidate) { return fits(candidate, line); });
    if (pattern == kPatterns.end()) continue;
    const bool known = std::any_of(hits.begin(), hits.end(),
                                   [pattern](const ConsoleHit& hit) { return hit.kind == pattern->kind; });
    if (!known) hits.push_back({std::string(pattern->kind), pattern->meaning, std::move(line)});
  }
  return hits;
}

}  // namespace luf::judge
