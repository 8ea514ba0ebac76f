// The virtual clock in a guest's saved state.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace luf::machine {

/// Moves the clock of a saved guest forward to the next full second. `state` is what QEMU 10.0 writes for `migrate`; with
/// icount, an instruction takes 2^shift ns. Between the instruction that stops a guest and the moment in which QEMU has
/// stopped it, QEMU may find all virtual CPUs idle and turn the clock to the next timer, or not: which, the host decides.
/// Everything else in the state is the same, so a second that both cases fall into makes them one, but for the rare case
/// that the full second lies between them. Errors: infra, when the state does not look as expected.
Result<void> settle_clock(std::string& state, std::int64_t shift);

}  // namespace luf::machine
