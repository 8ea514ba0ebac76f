#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "history/history.h"

namespace luf::history {

Result<Hold> Hold::take(const std::filesystem::path& file) {
  // Beside the history, not the history itself: closing any descriptor of that would drop SQLite's own locks.
  const std::filesystem::path lock = file.string() + ".lock";
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return fail(Blame::kInfra, "cannot open {}: {}", lock.string(), std::strerror(errno));
  Hold hold(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const std::string owner = read_file(lock).value_or("");
    return fail(
        Blame::kInfra,
        "the history {} is in use by another campaign (process {}); wait for it, or name another file with "
        "--history",
        file.string(), owner.substr(0, owner.find('\n')));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0)
    return fail(Blame::kInfra, "cannot write {}: {}", lock.string(), std::strerror(errno));
  return hold;
}

Hold::~Hold() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace luf::history
