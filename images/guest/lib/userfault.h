// userfaultfd(2), as the detectors use it. All that take the part's context fail the part on an error.
#pragma once

#include <linux/userfaultfd.h>

#include <cstdint>

#include "lib/part_context.h"

namespace luf::guest {

/// What the kernel can do (UFFD_FEATURE_*); 0: it has no userfaultfd.
std::uint64_t userfault_features();

/// A descriptor with these features (UFFD_FEATURE_*), e.g. SIGBUS instead of a message to be read.
int open_userfaultfd(PartContext& context, std::uint64_t features);

/// Registers a range; `mode` as in UFFDIO_REGISTER_MODE_*.
void register_userfault(PartContext& context, int fd, char* at, std::uint64_t length, std::uint64_t mode);

/// Write-protects a range, or ends that.
void write_protect(PartContext& context, int fd, char* at, std::uint64_t length, bool on = true);

}  // namespace luf::guest
