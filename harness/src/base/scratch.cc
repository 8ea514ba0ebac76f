#include "base/scratch.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

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
  ::close(fd);
  return Scratch(*name);
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
  return Scratch(name);
}

Scratch::Scratch(Scratch&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }

Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace luf
