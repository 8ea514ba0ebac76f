// Self-describing pages: every 64-byte line of a page says whose data it is, so that one line read through a
// stale translation is evidence by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace luf::guest {

inline constexpr std::size_t kPageSize = 4096;
inline constexpr std::size_t kLineSize = 64;
inline constexpr std::size_t kWordsPerLine = 8;
inline constexpr std::uint64_t kLinesPerPage = kPageSize / kLineSize;
inline constexpr std::uint64_t kLineMagic = 0x4c55464c494e4531;  // "LUFLINE1"
inline constexpr std::uint64_t kLineFiller = 0x6c75662d66696c6c;

/// One line. Between two versions of a page only `version` and `checksum` differ, so a line torn by a
/// concurrent copy still carries its owner and its place.
struct Line {
  std::uint64_t magic;
  std::uint64_t owner;    ///< file id, see owner_id()
  std::uint64_t page;     ///< index of the page in its file
  std::uint64_t version;  ///< first is 1
  std::uint64_t line;     ///< index of the line in its page
  std::uint64_t filler[2];
  std::uint64_t checksum;
  bool operator==(const Line&) const = default;
};
static_assert(sizeof(Line) == kLineSize);

/// A linear checksum: cheap enough to be built for every line that a reader compares.
constexpr std::uint64_t line_checksum(std::uint64_t owner, std::uint64_t page, std::uint64_t version,
                                      std::uint64_t line) {
  return 0x243f6a8885a308d3 + owner * 0x9e3779b97f4a7c15 + page * 0xbf58476d1ce4e5b9 +
         version * 0x94d049bb133111eb + line * 0xd6e8feb86659fd93;
}

constexpr Line make_line(std::uint64_t owner, std::uint64_t page, std::uint64_t version, std::uint64_t line) {
  return {kLineMagic,
          owner,
          page,
          version,
          line,
          {kLineFiller, kLineFiller},
          line_checksum(owner, page, version, line)};
}

/// Every word is what a line with its owner, page, version and number must hold.
constexpr bool well_formed(const Line& line) {
  return line == make_line(line.owner, line.page, line.version, line.line);
}

/// It is this line of this page of this file, in whatever version (perhaps torn between two).
constexpr bool same_place(const Line& line, std::uint64_t owner, std::uint64_t page, std::uint64_t number) {
  return line.magic == kLineMagic && line.owner == owner && line.page == page && line.line == number &&
         line.filler[0] == kLineFiller && line.filler[1] == kLineFiller;
}

/// Reads a line by eight relaxed 8-byte loads, none of them repeated or merged. Thread: any.
inline Line load_line(const void* at) {
  const auto* words = static_cast<const std::uint64_t*>(at);
  Line line{};
  auto* out = reinterpret_cast<std::uint64_t*>(&line);
  for (std::size_t word = 0; word < kWordsPerLine; ++word)
    out[word] = __atomic_load_n(words + word, __ATOMIC_RELAXED);
  return line;
}

/// Writes a whole page in that version, word by word (relaxed stores).
void fill_page(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version);

/// Writes only what differs between versions, in every line: one relaxed 8-byte store each.
void restamp_page(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version);

/// The same for line `number` of the page only, whose address `page` is.
void restamp_line(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version,
                  std::uint64_t number);

/// A file id that can be read as text: the first six characters of `name` and two digits of `index`.
std::uint64_t owner_id(std::string_view name, unsigned index);

/// The text of owner_id(); unprintable bytes become '.'.
std::string owner_text(std::uint64_t owner);

/// One clause on what a line holds: whose data, zeros, or no self-describing data.
std::string describe_line(const Line& line);

}  // namespace luf::guest
