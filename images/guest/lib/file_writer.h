// The ways a program has to write a page of a file.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/part_context.h"

namespace luf::guest {

/// What FileWriter's `via` may be. `direct` is pwrite with O_DIRECT, `device` pwrite to a block device, `splice` comes
/// from a pipe, `sendfile` and `copy_range` (copy_file_range) from another file, `loop` goes through a loop device. `clone` makes the
/// page share the blocks of another file's (FICLONERANGE), `dedupe` does so after a pwrite of the same bytes to both
/// (FIDEDUPERANGE); they need a file system that can, btrfs or XFS.
inline constexpr std::array<std::string_view, 13> kWriteVia{
    "pwrite",   "writev",     "pwritev2", "aio",  "io_uring", "direct", "splice",
    "sendfile", "copy_range", "device",   "loop", "clone",    "dedupe"};

class FileWriter {
 public:
  virtual ~FileWriter() = default;
  /// Writes a page-aligned page at that offset; the write is over when it returns. Fails the part on an error.
  virtual void write(const void* page, std::uint64_t offset) = 0;
};

/// Opens the file. Fails the part on an error.
std::unique_ptr<FileWriter> open_file_writer(PartContext& context, std::string_view via,
                                             const std::string& path);

}  // namespace luf::guest
