// A load that may fault: what a program must get after it has unmapped a page.
#pragma once

#include "lib/page_pattern.h"

namespace luf::guest {

/// Makes this process survive SIGSEGV and SIGBUS inside guarded_load(); elsewhere they kill as ever. Call
/// once, before threads are made. Returns false on failure (errno tells).
bool install_load_guard();

/// Loads a line as load_line() does. Returns false when a load faulted. No system call, no change of the signal
/// mask. Thread: any.
bool guarded_load(const Line* at, Line& line);

}  // namespace luf::guest
