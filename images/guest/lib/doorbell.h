// Tells the oracle outside of the guest, if there is one, of promise points (protocol/doorbell.h, docs/oracle.md).
#pragma once

#include <cstdint>
#include <string_view>

namespace luf::guest {

/// Makes the page that rings go to; forked processes inherit it. Without it the others do nothing. Returns false on
/// failure (errno tells).
bool map_doorbell();

/// Names one act on one page: by the part's index, the page's index and the act's number, of which four in a row are
/// told apart.
unsigned act_mark(unsigned part, std::uint64_t page, std::uint64_t act);

// One store each. Thread: any. `rule` is "RN".

/// The act is about to begin.
void ring_mark(unsigned mark);
/// This thread has learnt that the act is over; `address` lies in the page that it reads.
void ring_promise(std::string_view rule, unsigned mark, const void* address);
/// The same, and no unmapper has a batch in flight that was there before.
void ring_settled(std::string_view rule, unsigned mark, const void* address);
/// Phase number `phase` of the scenario begins, counted from 0.
void ring_phase(std::uint64_t phase);

}  // namespace luf::guest
