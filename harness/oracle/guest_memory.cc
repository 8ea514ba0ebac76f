#include "guest_memory.h"

#include <cstdio>
#include <map>
#include <sstream>
#include <tuple>

namespace luf::oracle {

GuestMemory::GuestMemory(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {
  for (const Piece& piece : pieces_) bytes_ += piece.bytes;
}

std::optional<std::uint64_t> GuestMemory::physical(const void* host) const {
  const auto* byte = static_cast<const std::byte*>(host);
  std::uint64_t base = 0;
  for (const Piece& piece : pieces_) {
    if (byte >= piece.host && byte < piece.host + piece.bytes)
      return base + static_cast<std::uint64_t>(byte - piece.host);
    base += piece.bytes;
  }
  return std::nullopt;
}

std::vector<GuestMemory::Piece> find_ram(const std::string& maps, const std::string& name) {
  // A clone's backends are files, named by their number; a booted guest's have one name, and inodes in their order.
  std::map<std::tuple<std::size_t, std::string, unsigned long>, GuestMemory::Piece> in_order;
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t named = line.find(name);
    if (named == std::string::npos) continue;
    unsigned long begin = 0;
    unsigned long end = 0;
    unsigned long inode = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %*s %*s %lu", &begin, &end, &inode) != 3) continue;
    GuestMemory::Piece& piece = in_order[{line.size() - named, line.substr(named), inode}];
    // One mapping may have been split into several lines by madvise().
    if (piece.host == nullptr) piece.host = reinterpret_cast<std::byte*>(begin);
    piece.bytes = end - reinterpret_cast<std::uintptr_t>(piece.host);
  }
  std::vector<GuestMemory::Piece> pieces;
  for (const auto& [place, piece] : in_order) pieces.push_back(piece);
  return pieces;
}

}  // namespace luf::oracle
