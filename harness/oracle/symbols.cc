#include "symbols.h"

#include <cxxabi.h>
#include <elf.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace luf::oracle {
namespace {

/// A structure at `offset`, or nothing where the file ends before it.
template <typename T>
std::optional<T> read_at(const std::string& text, std::uint64_t offset) {
  T value;
  if (offset > text.size() || text.size() - offset < sizeof(T)) return std::nullopt;
  std::memcpy(&value, text.data() + offset, sizeof(T));
  return value;
}

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

/// As it stands in the source, and not longer than a line.
std::string readable(const std::string& name) {
  constexpr std::size_t kLongest = 90;
  int status = 0;
  char* plain = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  std::string text = status == 0 ? plain : name;
  std::free(plain);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

constexpr std::uint64_t kFarthest = 1U << 20U;  ///< from a symbol without a size

}  // namespace

bool Symbols::add(const std::string& text) {
  return text.starts_with("\177ELF") ? add_elf(text) : add_map(text);
}

bool Symbols::add_elf(const std::string& text) {
  const std::size_t before = symbols_.size();
  const auto header = read_at<Elf64_Ehdr>(text, 0);
  if (!header || header->e_ident[EI_CLASS] != ELFCLASS64) return false;
  for (unsigned i = 0; i < header->e_shnum; ++i) {
    const auto section = read_at<Elf64_Shdr>(text, header->e_shoff + std::uint64_t{i} * header->e_shentsize);
    if (!section || section->sh_type != SHT_SYMTAB) continue;
    const auto names =
        read_at<Elf64_Shdr>(text, header->e_shoff + std::uint64_t{section->sh_link} * header->e_shentsize);
    if (!names) continue;
    for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= section->sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = read_at<Elf64_Sym>(text, section->sh_offset + at);
      if (!symbol) break;
      const unsigned type = ELF64_ST_TYPE(symbol->st_info);
      const std::uint64_t name = names->sh_offset + symbol->st_name;
      if ((type != STT_FUNC && type != STT_NOTYPE && type != STT_OBJECT) || symbol->st_value == 0 ||
          name >= text.size())
        continue;
      symbols_.push_back({symbol->st_value, symbol->st_size, std::string(text.c_str() + name)});
    }
  }
  return symbols_.size() > before;
}

bool Symbols::add_map(const std::string& text) {
  const std::size_t before = symbols_.size();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    unsigned long long address = 0;
    char kind = 0;
    char name[256];
    if (std::sscanf(line.c_str(), "%llx %c %255s", &address, &kind, name) != 3) continue;
    if (std::strchr("tTwWdDbBaA", kind) != nullptr) symbols_.push_back({address, 0, name});
  }
  // Debian's packages have a file of one line that says where the real one is.
  if (symbols_.size() - before > 1) return true;
  symbols_.resize(before);
  return false;
}

void Symbols::finish() {
  // Of several names at one place the one with a size, that is a function's, is the better.
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
    return a.address != b.address ? a.address < b.address : a.size < b.size;
  });
  for (std::size_t i = 0; i + 1 < symbols_.size(); ++i) {
    if (symbols_[i].size == 0) symbols_[i].size = symbols_[i + 1].address - symbols_[i].address;
  }
}

std::string Symbols::describe(std::uint64_t address) const {
  auto after =
      std::upper_bound(symbols_.begin(), symbols_.end(), address,
                       [](std::uint64_t value, const Symbol& symbol) { return value < symbol.address; });
  if (after == symbols_.begin()) return hex(address);
  const Symbol& symbol = *--after;
  const std::uint64_t offset = address - symbol.address;
  if (offset >= (symbol.size != 0 ? symbol.size : kFarthest)) return hex(address);
  return readable(symbol.name) + "+" + hex(offset);
}

std::optional<Symbols::Symbol> Symbols::find(const std::string& name) const {
  const auto found = std::find_if(symbols_.begin(), symbols_.end(),
                                  [&name](const Symbol& symbol) { return symbol.name == name; });
  if (found == symbols_.end()) return std::nullopt;
  return *found;
}

}  // namespace luf::oracle
