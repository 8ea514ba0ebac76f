// Guest kernels: built here (a directory with a manifest) or brought by the user (a file).
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace luf::artifact {

struct Kernel {
  std::filesystem::path file;    ///< vmlinux or bzImage
  std::string release;           ///< as `uname -r` will print it; empty when the file does not tell
  std::string source_version;    ///< of the kernel source; empty when brought
  std::string series_sha256;     ///< of the patch series; empty when brought
  std::string config_sha256;     ///< empty when brought
  std::filesystem::path config;  ///< empty when unknown
  std::string hash;              ///< short, names exactly this kernel
  bool brought = false;          ///< by --kernel
};

/// Reads `directory`/manifest.json and checks the kernel file it names. Errors: infra.
Result<Kernel> kernel_in(const std::filesystem::path& directory);

/// Takes a kernel file by its content. Errors: scenario when there is no such file or it is no kernel
/// (usage); infra when it is truncated.
Result<Kernel> kernel_from(const std::filesystem::path& file);

/// What a kernel file tells about itself.
struct KernelFile {
  enum class Format { kVmlinux, kBzImage };
  Format format = Format::kVmlinux;
  std::string release;  ///< empty when not found
};

/// Recognises an x86-64 vmlinux (ELF) or bzImage and checks that nothing of it is missing: ELF segments and
/// section table, or setup_sects and syssize of the boot protocol (Documentation/arch/x86/boot.rst). Errors:
/// as `kernel_from`.
Result<KernelFile> inspect_kernel(const std::filesystem::path& file);

}  // namespace luf::artifact
