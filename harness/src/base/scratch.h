// Names under $TMPDIR that vanish with their owner.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace luf {

/// A new file or directory that only this user can read; removed, with all it holds, by the destructor. Thread: one.
class Scratch {
 public:
  /// `prefix` begins its name. Errors: infra.
  static Result<Scratch> file(const std::string& prefix);
  static Result<Scratch> directory(const std::string& prefix);
  /// A directory in `parent` instead of $TMPDIR.
  static Result<Scratch> directory_in(const std::filesystem::path& parent, const std::string& prefix);

  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit Scratch(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;  ///< empty: moved from
};

}  // namespace luf
