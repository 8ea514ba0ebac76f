#include "lib/page_pattern.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace luf::guest {

namespace {
void store_word(std::uint64_t* at, std::uint64_t value) { __atomic_store_n(at, value, __ATOMIC_RELAXED); }
}  // namespace

void fill_page(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version) {
  auto* out = static_cast<std::uint64_t*>(page);
  for (std::uint64_t number = 0; number < kLinesPerPage; ++number) {
    const Line line = make_line(owner, index, version, number);
    const auto* words = reinterpret_cast<const std::uint64_t*>(&line);
    for (std::size_t word = 0; word < kWordsPerLine; ++word) store_word(out++, words[word]);
  }
}

void restamp_page(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version) {
  for (std::uint64_t number = 0; number < kLinesPerPage; ++number)
    restamp_line(page, owner, index, version, number);
}

void restamp_line(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version,
                  std::uint64_t number) {
  Line& line = static_cast<Line*>(page)[number];
  store_word(&line.version, version);
  store_word(&line.checksum, line_checksum(owner, index, version, number));
}

std::uint64_t owner_id(std::string_view name, unsigned index) {
  char text[8] = {'_', '_', '_', '_', '_', '_', '0', '0'};
  std::copy_n(name.begin(), std::min<std::size_t>(name.size(), 6), text);
  text[6] = static_cast<char>('0' + index / 10 % 10);
  text[7] = static_cast<char>('0' + index % 10);
  std::uint64_t id = 0;
  std::memcpy(&id, text, sizeof(id));
  return id;
}

std::string owner_text(std::uint64_t owner) {
  char text[8];
  std::memcpy(text, &owner, sizeof(text));
  for (char& c : text) {
    if (c < ' ' || c > '~' || c == '"' || c == '\\') c = '.';
  }
  return {text, sizeof(text)};
}

std::string describe_line(const Line& line) {
  char text[160];
  const auto* words = reinterpret_cast<const std::uint64_t*>(&line);
  if (line.magic == kLineMagic) {
    std::snprintf(text, sizeof(text), "page %llu line %llu version %llu of %s%s",
                  static_cast<unsigned long long>(line.page), static_cast<unsigned long long>(line.line),
                  static_cast<unsigned long long>(line.version), owner_text(line.owner).c_str(),
                  well_formed(line) ? "" : " (damaged)");
    return text;
  }
  const bool zeros = std::all_of(words, words + kWordsPerLine, [](std::uint64_t word) { return word == 0; });
  return zeros ? "zeros" : "data that describes nothing";
}

}  // namespace luf::guest
