// Stores to private anonymous pages that the kernel has moved or taken in the meantime.
//
// The mapping may be written. Reclaim leaves only what is mapped read-only and clean to a deferred
// flush, and swapping in by a fault maps the page writable. What these ways have in common is therefore how a page gets
// there: swapoff maps all it brings back read-only, KSM what it merges. MADV_FREE makes a page clean, but leaves it writable: with it
// the mapping itself is read-only between two stores.
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/page_pair.h"

namespace luf::guest {

/// A metric: how often the page was merged, collapsed or swapped in by swapoff, beside `tries`.
inline constexpr const char* kOccasions = "occasions";

/// Thread A until the phase stops: makes the pages and thread B, then stores to page after page that reclaim has taken.
/// `via` is one of cow_store's (docs there); `stored` holds after each store. Fails the part on an error.
void run_private_stores(PartContext& context, std::string_view via, std::uint64_t pages,
                        const PairPromise& stored);

}  // namespace luf::guest
