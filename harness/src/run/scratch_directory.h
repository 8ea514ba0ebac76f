// A place for the files of a guest that leaves no run directory.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace luf::run {

/// A directory that vanishes with its owner. `path()` is empty when it could not be made.
class ScratchDirectory {
 public:
  ScratchDirectory() : path_((std::filesystem::temp_directory_path() / "lufbed-guest-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace luf::run
