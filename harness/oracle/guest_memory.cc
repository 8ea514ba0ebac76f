#include "guest_memory.h"

#include <cstdio>
#include <map>
#include <sstream>

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
  std::map<std::uint64_t, GuestMemory::Piece> by_inode;
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(name) == std::string::npos) continue;
    unsigned long begin = 0;
    unsigned long end = 0;
    unsigned long inode = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %*s %*s %lu", &begin, &end, &inode) != 3) continue;
    GuestMemory::Piece& piece = by_inode[inode];
    // One mapping may have been split into several lines by madvise().
    if (piece.host == nullptr) piece.host = reinterpret_cast<std::byte*>(begin);
    piece.bytes = end - reinterpret_cast<std::uintptr_t>(piece.host);
  }
  std::vector<GuestMemory::Piece> pieces;
  for (const auto& [inode, piece] : by_inode) pieces.push_back(piece);
  return pieces;
}

}  // namespace luf::oracle
