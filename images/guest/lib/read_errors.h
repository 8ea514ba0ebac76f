// A program that outlives a failed read of the disk beneath the pages that it has mapped.
#pragma once

#include <atomic>
#include <cstdint>

namespace luf::guest {

/// From now on an access of this process, and of those that it forks, that ends in SIGBUS is tried again, 1 ms later; `count` says how often, over all
/// threads. A page that cannot be read 1000 times in a row kills the process as ever. `count` must outlive the process.
/// Does nothing where SIGBUS has a handler already. Returns false on failure (errno tells).
bool retry_read_errors(std::atomic<std::uint64_t>& count);

}  // namespace luf::guest
