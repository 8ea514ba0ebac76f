#include "base/scratch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace luf {
namespace {

namespace fs = std::filesystem;

/// What mkstemp and mkdtemp fill in.
Result<std::string> name_template(const std::string& prefix) {
  std::error_code error;
  const fs::path directory = fs::temp_directory_path(error);
  if (error)
    return fail(Blame::kInfra, "cannot use the directory for temporary files (TMPDIR): {}", error.message());
  return (directory / (prefix + "XXXXXX")).string();
}

}  // namespace

Result<Scratch> Scratch::file(const std::string& prefix) {
  Result<std::string> name = name_template(prefix);
  if (!name) return pass_on(name);
  const int fd = ::mkstemp(name->data());
  if (fd < 0)
    return fail(Blame::kInfra, "cannot create the temporary file {}: {}", *name, std::strerror(errno));
  ::flock(fd, LOCK_EX | LOCK_NB);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return Scratch(*name, fd);
}

Result<Scratch> Scratch::directory(const std::string& prefix) {
  const Result<std::string> name = name_template(prefix);
  if (!name) return pass_on(name);
  return directory_in(fs::path(*name).parent_path(), prefix);
}

Result<Scratch> Scratch::directory_in(const fs::path& parent, const std::string& prefix) {
  std::string name = (parent / (prefix + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    return fail(Blame::kInfra, "cannot create the temporary directory {}: {}", name, std::strerror(errno));
  }
  const int lock = ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Partner: sweep(), which may have come between the two calls above.
  if (lock < 0 || ::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (lock >= 0) ::close(lock);
    return fail(Blame::kInfra, "cannot lock the temporary directory {}: {}", name, std::strerror(error));
  }
  return Scratch(name, lock);
}

std::vector<fs::path> Scratch::sweep(const fs::path& parent, const std::string& prefix,
                                     const std::function<void(const fs::path&)>& before) {
  constexpr std::size_t kDrawn = 6;  // by mkdtemp
  std::vector<fs::path> gone;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || name.size() != prefix.size() + kDrawn) continue;
    const int fd = ::open(entry.path().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) continue;
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
      if (before) before(entry.path());
      std::error_code failed;
      fs::remove_all(entry.path(), failed);
      if (!failed) gone.push_back(entry.path());
    }
    ::close(fd);
  }
  return gone;
}

Scratch::Scratch(Scratch&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {
  other.path_.clear();
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace luf
