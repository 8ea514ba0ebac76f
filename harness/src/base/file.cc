#include "base/file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace luf {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> failed(std::string_view attempt, const fs::path& path, int error) {
  return fail(Blame::kInfra, "cannot {} {}: {}", attempt, path.string(),
              error == ENOSPC || error == EDQUOT ? "the disk is full" : std::strerror(error));
}

Result<void> write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failed("write", path, count == 0 ? ENOSPC : errno);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Result<std::string> read_range(const fs::path& path, std::uint64_t offset, std::size_t length) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed("open", path, errno);
  std::string content;
  std::string block(std::size_t{1} << 16U, '\0');
  while (content.size() < length) {
    const std::size_t want = std::min(block.size(), length - content.size());
    const ssize_t count =
        ::pread(file.get(), block.data(), want, static_cast<off_t>(offset + content.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("read", path, errno);
    if (count == 0) break;
    content.append(block, 0, static_cast<std::size_t>(count));
  }
  return content;
}

Result<std::string> read_file(const fs::path& path) { return read_range(path, 0, std::string::npos); }

Result<void> write_file(const fs::path& path, std::string_view content) {
  const fs::path draft = path.string() + ".tmp";
  {
    const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) return failed("create", path, errno);
    if (Result<void> written = write_all(file.get(), content, path); !written) {
      ::unlink(draft.c_str());
      return written;
    }
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return failed("replace", path, errno);
  return {};
}

Result<void> make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return failed("create directory", path, error.value());
  return {};
}

std::uint64_t free_space(const fs::path& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return 0;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

fs::path cache_directory() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return fs::path(cache) / "lufbed";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr ? home : "/tmp") / ".cache" / "lufbed";
}

fs::path executable_directory() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

std::string shell_quote(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  std::string quoted = "'";
  for (char character : word) quoted += character == '\'' ? std::string("'\\''") : std::string(1, character);
  return quoted + "'";
}

}  // namespace luf
