// An access that may fault: what a program must get after it has unmapped a page.
#pragma once

#include "lib/page_pattern.h"

namespace luf::guest {

/// Makes this process survive SIGSEGV and SIGBUS inside the functions below; elsewhere they kill as ever. Call
/// once, before threads are made. Returns false on failure (errno tells).
bool install_load_guard();

/// Loads a line as load_line() does. Returns false when a load faulted. No system call, no change of the signal
/// mask. Thread: any.
bool guarded_load(const Line* at, Line& line);

/// Stores to a line that nobody else stores to what is there anyway, then loads it; the rest as guarded_load().
bool guarded_store(const Line* at, Line& line);

/// Stores as restamp_line() does; the rest as guarded_load().
bool guarded_restamp(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version,
                     std::uint64_t number);

}  // namespace luf::guest
