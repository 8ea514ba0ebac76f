// The directory that holds all there is to know about one run.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "judge/verdict.h"

namespace luf::run {

/// `<root>/<scenario>/<n>/`. Its file `verdict` exists from the beginning: "not started", then "incomplete",
/// then the verdict, so that a run whose program died never reads as passed.
class RunDirectory {
 public:
  /// Creates the next free number. Errors: infra.
  static Result<RunDirectory> create(const std::filesystem::path& root, const std::string& scenario);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(std::string_view name) const { return path_ / name; }

  /// Errors: infra, e.g. a full disk.
  Result<void> write(std::string_view name, std::string_view content) const;
  Result<void> write_state(std::string_view state) const;
  Result<void> write_verdict(const judge::Verdict& verdict) const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// A scenario's name from its file: what follows the last folder called "scenarios", without ".toml";
/// else the bare file name.
std::string scenario_name(const std::filesystem::path& file);

}  // namespace luf::run
