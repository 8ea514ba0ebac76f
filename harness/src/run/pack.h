// A run directory in one file, to be sent to somebody else.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace luf::run {

/// Writes what is needed to repeat the run and to compare it: all of the directory but what QEMU alone reads. Errors:
/// scenario, when it is no run directory; infra.
Result<void> pack(const std::filesystem::path& run, const std::filesystem::path& file);

/// Puts the files of a pack into a directory, which must exist. Errors: scenario, when the file is no pack or its
/// content is not what it was: then nothing is written; infra.
Result<void> unpack(const std::filesystem::path& file, const std::filesystem::path& directory);

}  // namespace luf::run
