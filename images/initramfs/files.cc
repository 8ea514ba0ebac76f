#include "files.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace luf::initramfs {

namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

tl::unexpected<std::string> failure(std::string_view what, const std::string& path) {
  return tl::unexpected(fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) return failure("open", path);
  std::string data;
  char buffer[1U << 16U];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof(buffer), file.get())) > 0;)
    data.append(buffer, got);
  if (std::ferror(file.get()) != 0) return failure("read", path);
  return data;
}

Result<void> write_file(const std::string& path, std::string_view data) {
  const std::string temporary = path + ".new";
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) return failure("create", temporary);
  const bool written = std::fwrite(data.data(), 1, data.size(), file) == data.size();
  const bool closed = std::fclose(file) == 0;
  if (!written || !closed) {
    auto problem = failure("write", temporary);
    std::remove(temporary.c_str());
    return problem;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return failure("rename to", path);
  return {};
}

}  // namespace luf::initramfs
