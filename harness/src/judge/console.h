// What the guest kernel's console gives away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace luf::judge {

enum class ConsoleMeaning {
  kGuestFault,  ///< the kernel under test did something wrong
  kLockup,      ///< a CPU or a task got nowhere: the same, unless the host did not let it
  kBadImage,    ///< the guest could not start: what we gave it to boot is at fault
  kNote,        ///< worth telling, decides nothing
};
std::string_view to_string(ConsoleMeaning meaning);

struct ConsoleHit {
  std::string kind;  ///< e.g. "panic", "soft_lockup"
  ConsoleMeaning meaning = ConsoleMeaning::kNote;
  /// The first line of that kind, without its time stamp; with the caller where a report of KCSAN names one side only.
  std::string line;
};

/// The first hit of every kind, in the order of appearance. Thread: any.
std::vector<ConsoleHit> scan_console(std::string_view text);

}  // namespace luf::judge
