// Self-describing pages in private anonymous memory. All fail the part on an error.
#pragma once

#include <cstdint>

#include "lib/part_context.h"

namespace luf::guest {

/// Readable and writable small pages in version 1.
char* map_anonymous_pages(PartContext& context, std::uint64_t pages);

/// madvise(2).
void advise(PartContext& context, char* at, std::uint64_t length, int advice);

}  // namespace luf::guest
