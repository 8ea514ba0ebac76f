// Which modules of a kernel are needed, in which order, and their bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files.h"

namespace luf::initramfs {

/// The text of depmod's files; all but `dep` may be empty.
struct ModuleIndex {
  std::string dep;      ///< modules.dep
  std::string builtin;  ///< modules.builtin
  std::string softdep;  ///< modules.softdep
  std::string alias;    ///< modules.alias
};

/// Reads the index in `directory` (lib/modules/RELEASE). Fails without modules.dep.
Result<ModuleIndex> read_module_index(const std::string& directory);

/// Files, relative to the directory, in the order in which to load them: each after what it depends on, also
/// by "softdep pre". What is built in is left out. Fails when a wanted module is in neither list,
/// unless a '?' stands before its name.
Result<std::vector<std::string>> module_closure(const ModuleIndex& index,
                                                const std::vector<std::string>& wanted);

/// The name the kernel knows a module's file by: no directory, no .ko*, '-' as '_'.
std::string module_name(std::string_view file);

/// The module's bytes; .xz, .zst and .gz are decompressed by running xz, zstd or gzip.
Result<std::string> read_module(const std::string& path);

}  // namespace luf::initramfs
