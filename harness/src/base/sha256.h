// SHA-256 (FIPS 180-4), to recognise artifacts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace luf {

/// A hash over bytes fed piece by piece.
class Sha256 {
 public:
  void update(std::string_view bytes);
  /// 64 lower-case hexadecimal digits; the object is used up.
  std::string finish();

 private:
  void block(const unsigned char* bytes);
  std::array<std::uint32_t, 8> state_{0x6a09e667U, 0xbb67ae85U, 0x3c6ef372U, 0xa54ff53aU,
                                      0x510e527fU, 0x9b05688cU, 0x1f83d9abU, 0x5be0cd19U};
  std::string pending_;
  std::uint64_t length_ = 0;
};

/// The hash of a string. Thread: any.
std::string sha256(std::string_view bytes);

/// The hash of a file's content. Errors: infra.
Result<std::string> sha256_of_file(const std::filesystem::path& path);

}  // namespace luf
