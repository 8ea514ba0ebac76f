// A FUSE file system whose server is a process of the part: its bytes can change with no local write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/part_context.h"

namespace luf::guest {

struct FuseFile;

/// A file system of one directory with a few small regular files, kept in memory that the part and the server share. The
/// server is a process of its own that speaks the kernel's protocol (linux/fuse.h) on /dev/fuse. It ends with the process
/// that made it, and what still waits for an answer then gets an error.
class FuseServer {
 public:
  /// Starts the server on the CPU of the part's writer and mounts it at directory(), where a mount of an earlier phase
  /// goes. `writeback`: write(2) leaves pages dirty, as on a disk; else the server has the bytes when it returns.
  /// Fails the part on an error.
  FuseServer(PartContext& context, bool writeback);

  const std::string& directory() const { return directory_; }

  // Thread: one at a time. Each is about the page at `offset` of the file `name` and fails the part on an error.

  /// Gives the server other bytes. The kernel is not told.
  void change(std::string_view name, std::uint64_t offset, const void* page) const;
  /// Has the server send FUSE_NOTIFY_INVAL_INODE for the page; the kernel has acted on it on return.
  void invalidate(std::string_view name, std::uint64_t offset) const;
  /// The same with FUSE_NOTIFY_STORE, which carries the server's bytes of the page.
  void store(std::string_view name, std::uint64_t offset) const;

 private:
  FuseFile& file(std::string_view name) const;
  void notify(int code, std::string_view name, std::uint64_t offset) const;

  PartContext& context_;
  std::string directory_;
  FuseFile* files_ = nullptr;
  int requests_ = -1;  ///< pipe to the server's thread that sends notifications
  int results_ = -1;   ///< and back
};

}  // namespace luf::guest
