// Names of addresses, from an ELF file's symbol table or a System.map.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace luf::oracle {

class Symbols {
 public:
  struct Symbol {
    std::uint64_t address = 0;
    std::uint64_t size = 0;  ///< up to the next symbol where the file does not tell
    std::string name;
  };

  /// Adds the functions of `file`; false when there are none to be had. `text` is the file's content.
  bool add(const std::string& text);

  /// Sorts; to be called once, after the last add().
  void finish();

  /// "name+0x12", or the bare number.
  std::string describe(std::uint64_t address) const;
  std::optional<Symbol> find(const std::string& name) const;
  bool empty() const { return symbols_.empty(); }

 private:
  bool add_elf(const std::string& text);
  bool add_map(const std::string& text);
  std::vector<Symbol> symbols_;
};

}  // namespace luf::oracle
