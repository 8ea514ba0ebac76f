// The names in an ELF file: where a kernel's or a program's functions are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace luf::artifact {

/// Addresses of the functions by name, as linked; a name that stands twice has one of its addresses. Errors: scenario,
/// when the file is no 64-bit ELF file or has no symbols (a bzImage has none); infra.
Result<std::map<std::string, std::uint64_t>> symbols_of(const std::filesystem::path& file);

}  // namespace luf::artifact
