// A file that is written in version after version, in one of the ways a program has.
#pragma once

#include <string>

#include "lib/file_system.h"
#include "lib/file_writer.h"
#include "lib/version_watch.h"

namespace luf::guest {

/// The file, or the device, that `via` and `fs` of the part name, with all pages in version 1. Makes the metrics `tries`
/// (writes) and `promises` (writes of pages that were not in the page cache: only there can unmapping have left a
/// translation behind).
std::string create_written_file(PartContext& context, PageFiller fill);

/// Writes pages by `via`, publishes each version when the write is over, until the phase stops. Prefers pages that are
/// not in the page cache.
void write_file_versions(PartContext& context, const std::string& path, std::uint64_t pages,
                         CommittedVersions& committed, PageFiller fill);

/// The same as a VersionWriter.
template <PageFiller fill>
void write_versions(PartContext& context, const std::string& path, std::uint64_t pages,
                    CommittedVersions& committed) {
  write_file_versions(context, path, pages, committed, fill);
}

}  // namespace luf::guest
