// Files, with errors that say what was attempted on which path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace luf {

/// The whole content. Errors: infra. Thread: any.
Result<std::string> read_file(const std::filesystem::path& path);

/// At most `length` bytes from `offset`; fewer at the end of the file. Errors: infra.
Result<std::string> read_range(const std::filesystem::path& path, std::uint64_t offset, std::size_t length);

/// Replaces `path` as a whole: a reader sees the old content or the new one, also after a crash of
/// this program. The directory must exist. Errors: infra; a full disk is named as such.
Result<void> write_file(const std::filesystem::path& path, std::string_view content);

/// Creates the directory and its parents. Errors: infra.
Result<void> make_directories(const std::filesystem::path& path);

/// Bytes that this user may still write to the file system of `path`; 0 when that cannot be told.
std::uint64_t free_space(const std::filesystem::path& path);

/// Where this program keeps what can be made again: $XDG_CACHE_HOME/lufbed or ~/.cache/lufbed.
std::filesystem::path cache_directory();

/// The directory of the running executable.
std::filesystem::path executable_directory();

/// `word` quoted for a POSIX shell where it needs it.
std::string shell_quote(std::string_view word);

}  // namespace luf
