// Injectors that write to a file of the kernel again and again.
#pragma once

#include "lib/part_context.h"

namespace luf::guest {

/// Writes 1 to `file`, pauses for `period`, until the phase stops: the whole of an injector, on CPU 0, outside the parts'
/// cgroup. Metric `passes` counts the writes; `effects` adds up what `effect` makes of `look` before and after each.
/// Fails the part on an error.
void poke_kernel(PartContext& context, const char* file, std::uint64_t (*look)(),
                 std::uint64_t (*effect)(std::uint64_t before, std::uint64_t after));

}  // namespace luf::guest
