#include "guest/follower.h"

#include <sys/inotify.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace luf::guest {

Result<void> Follower::open(const std::filesystem::path& path) {
  path_ = path;
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return fail(Blame::kInfra, "cannot watch {}: {}", path.string(), std::strerror(errno));
  watch_.assign(fd);
  if (::inotify_add_watch(fd, path.c_str(), IN_MODIFY) < 0) {
    return fail(Blame::kInfra, "cannot watch {}: {}", path.string(), std::strerror(errno));
  }
  return {};
}

Result<std::string> Follower::read_new() {
  Result<std::string> bytes = read_range(path_, offset_, std::size_t{1} << 24U);
  if (bytes) offset_ += bytes->size();
  return bytes;
}

Task<void> Follower::watch(Wake& wake) {
  std::array<char, 4096> records{};
  while (true) {
    const auto buffer = boost::asio::buffer(records);
    co_await watch_.async_read_some(buffer, boost::asio::use_awaitable);
    wake.notify();
  }
}

}  // namespace luf::guest
