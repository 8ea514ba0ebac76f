#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

#include "artifact/kernel.h"

namespace luf::artifact {
namespace {

namespace fs = std::filesystem;

/// A file mapped read-only.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) {
      error_ = errno;
    } else if (!S_ISREG(status.st_mode)) {
      error_ = EISDIR;
    } else if (status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
      if (data_ == MAP_FAILED) error_ = errno;
    }
    if (fd >= 0) ::close(fd);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    if (data_ != MAP_FAILED && data_ != nullptr) ::munmap(data_, size_);
  }
  int error() const { return error_; }
  std::string_view bytes() const { return {static_cast<const char*>(data_), data_ == nullptr ? 0 : size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
  int error_ = 0;
};

template <typename T>
T read_at(std::string_view bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::string first_word(std::string_view text) {
  return std::string(text.substr(0, text.find_first_of(std::string_view(" \t\n\0", 4))));
}

tl::unexpected<Error> truncated(const fs::path& file, std::uint64_t needed, std::size_t size) {
  return fail(Blame::kInfra, "truncated kernel {}: it has {} of at least {} bytes; copy or build it again",
              file.string(), size, needed);
}

Result<KernelFile> inspect_elf(const fs::path& file, std::string_view bytes) {
  if (bytes.size() < sizeof(Elf64_Ehdr)) return truncated(file, sizeof(Elf64_Ehdr), bytes.size());
  const auto header = read_at<Elf64_Ehdr>(bytes, 0);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64) {
    return fail(Blame::kScenario, "{} is an ELF file, but not for x86-64; give a vmlinux or bzImage",
                file.string());
  }
  std::uint64_t needed = header.e_phoff + std::uint64_t{header.e_phnum} * header.e_phentsize;
  needed = std::max(needed, header.e_shoff + std::uint64_t{header.e_shnum} * header.e_shentsize);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const std::uint64_t at = header.e_phoff + i * sizeof(Elf64_Phdr);
    if (at + sizeof(Elf64_Phdr) > bytes.size()) return truncated(file, needed, bytes.size());
    const auto segment = read_at<Elf64_Phdr>(bytes, at);
    needed = std::max(needed, segment.p_offset + segment.p_filesz);
  }
  if (needed > bytes.size()) return truncated(file, needed, bytes.size());
  constexpr std::string_view kBanner = "Linux version ";
  KernelFile result{KernelFile::Format::kVmlinux, ""};
  for (std::size_t at = bytes.find(kBanner); at != std::string_view::npos; at = bytes.find(kBanner, at + 1)) {
    const std::string release = first_word(bytes.substr(at + kBanner.size(), 128));
    if (release.empty() || release.front() < '0' || release.front() > '9') continue;  // a format string
    result.release = release;
    return result;
  }
  return fail(Blame::kScenario, "{} is an ELF file, but no Linux kernel; give a vmlinux or bzImage",
              file.string());
}

Result<KernelFile> inspect_bzimage(const fs::path& file, std::string_view bytes) {
  // Offsets of the boot protocol's header; all fields little endian.
  const auto setup_sectors = read_at<std::uint8_t>(bytes, 0x1f1);
  const auto paragraphs = read_at<std::uint32_t>(bytes, 0x1f4);
  const auto version_offset = read_at<std::uint16_t>(bytes, 0x20e);
  const std::uint64_t needed =
      (std::uint64_t{setup_sectors == 0 ? std::uint8_t{4} : setup_sectors} + 1) * 512 +
      std::uint64_t{paragraphs} * 16;
  if (bytes.size() < needed) return truncated(file, needed, bytes.size());
  KernelFile result{KernelFile::Format::kBzImage, ""};
  if (version_offset != 0)
    result.release =
        first_word(bytes.substr(std::min<std::size_t>(version_offset + 0x200U, bytes.size()), 128));
  return result;
}

}  // namespace

Result<KernelFile> inspect_kernel(const fs::path& file) {
  const MappedFile mapped(file);
  if (mapped.error() != 0) {
    return fail(Blame::kScenario, "no such kernel: cannot open {}: {}", file.string(),
                std::strerror(mapped.error()));
  }
  const std::string_view bytes = mapped.bytes();
  constexpr std::size_t kBootHeaderEnd = 0x210;
  if (bytes.starts_with(ELFMAG)) return inspect_elf(file, bytes);
  if (bytes.size() >= kBootHeaderEnd && bytes.substr(0x202, 4) == "HdrS") return inspect_bzimage(file, bytes);
  return fail(Blame::kScenario, "{} is neither a vmlinux (ELF) nor a bzImage; give one of them",
              file.string());
}

}  // namespace luf::artifact
