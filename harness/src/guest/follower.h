// Follows a growing file: the event stream of a running guest.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <filesystem>
#include <string>

#include "async/wake.h"
#include "base/result.h"
#include "guest/byte_source.h"

namespace luf::guest {

/// Reads what is appended to a file. Thread: the io_context's.
class Follower : public ByteSource {
 public:
  explicit Follower(const boost::asio::any_io_executor& executor) : watch_(executor) {}

  /// Begins at the start of `path`, which must exist. Errors: infra.
  Result<void> open(const std::filesystem::path& path);

  Result<std::string> read_new() override;

  /// Notifies `wake` whenever the file grows. Runs until cancelled.
  Task<void> watch(Wake& wake);

 private:
  std::filesystem::path path_;
  std::uint64_t offset_ = 0;
  boost::asio::posix::stream_descriptor watch_;  ///< inotify
};

}  // namespace luf::guest
