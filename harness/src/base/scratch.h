// Names under $TMPDIR that vanish with their owner.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace luf {

/// A new file or directory that only this user can read; removed, with all it holds, by the destructor. While its owner
/// lives it is locked (flock), so that what a killed program left can be told from what is in use. Thread: one.
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

  /// Removes what dead programs left: entries of `parent` that begin with `prefix`, then six characters, and that nobody
  /// has locked. `before` is called for each first. Returns their paths.
  static std::vector<std::filesystem::path> sweep(
      const std::filesystem::path& parent, const std::string& prefix,
      const std::function<void(const std::filesystem::path&)>& before = {});

 private:
  Scratch(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;  ///< empty: moved from
  int lock_ = -1;
};

}  // namespace luf
