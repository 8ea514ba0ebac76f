// Reading and writing whole files, with messages fit for a command line.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace luf::initramfs {

/// A value, or one line that says what was attempted, on what, and what came back.
template <typename T>
using Result = tl::expected<T, std::string>;

Result<std::string> read_file(const std::string& path);
/// Writes beside `path` and renames, so that a failure leaves no half file.
Result<void> write_file(const std::string& path, std::string_view data);

}  // namespace luf::initramfs
