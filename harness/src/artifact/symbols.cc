#include "artifact/symbols.h"

#include <elf.h>

#include <cstring>
#include <vector>

#include "base/file.h"

namespace luf::artifact {
namespace {

constexpr std::size_t kLargestTable = std::size_t{256} << 20U;

/// `count` structures of the file from `offset`.
template <typename T>
Result<std::vector<T>> read_table(const std::filesystem::path& file, std::uint64_t offset,
                                  std::uint64_t count) {
  if (count * sizeof(T) > kLargestTable)
    return fail(Blame::kScenario, "{} is damaged: a table of it is too large", file.string());
  const Result<std::string> bytes = read_range(file, offset, count * sizeof(T));
  if (!bytes) return pass_on(bytes);
  if (bytes->size() != count * sizeof(T)) return fail(Blame::kScenario, "{} is truncated", file.string());
  std::vector<T> table(count);
  if (count > 0) std::memcpy(table.data(), bytes->data(), bytes->size());
  return table;
}

Result<std::vector<Elf64_Shdr>> sections_of(const std::filesystem::path& file) {
  const Result<std::vector<Elf64_Ehdr>> header = read_table<Elf64_Ehdr>(file, 0, 1);
  if (!header) return pass_on(header);
  const Elf64_Ehdr& elf = header->front();
  if (std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != ELFCLASS64)
    return fail(Blame::kScenario, "{} has no symbols: it is no ELF file; give a vmlinux", file.string());
  return read_table<Elf64_Shdr>(file, elf.e_shoff, elf.e_shnum);
}

}  // namespace

Result<std::map<std::string, std::uint64_t>> symbols_of(const std::filesystem::path& file) {
  const Result<std::vector<Elf64_Shdr>> sections = sections_of(file);
  if (!sections) return pass_on(sections);
  std::map<std::string, std::uint64_t> symbols;
  for (const Elf64_Shdr& section : *sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections->size()) continue;
    const Elf64_Shdr& names = (*sections)[section.sh_link];
    const auto text = read_table<char>(file, names.sh_offset, names.sh_size);
    if (!text) return pass_on(text);
    const auto table = read_table<Elf64_Sym>(file, section.sh_offset, section.sh_size / sizeof(Elf64_Sym));
    if (!table) return pass_on(table);
    for (const Elf64_Sym& symbol : *table) {
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_name >= text->size()) continue;
      const char* name = text->data() + symbol.st_name;
      symbols.emplace(std::string(name, ::strnlen(name, text->size() - symbol.st_name)), symbol.st_value);
    }
  }
  if (symbols.empty()) return fail(Blame::kScenario, "{} has no symbols: it was stripped", file.string());
  return symbols;
}

}  // namespace luf::artifact
