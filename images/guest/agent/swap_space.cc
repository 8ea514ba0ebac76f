#include "agent/swap_space.h"

#include <fcntl.h>
#include <sys/swap.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "agent/kernel_files.h"
#include "lib/page_pattern.h"
#include "lib/swap_device.h"

namespace luf::guest {

namespace {

constexpr const char* kSizeFile = "/sys/block/zram0/disksize";
constexpr std::uint32_t kPages = (64U << 20U) / kPageSize;

/// The first page of a swap area, as mkswap writes it: version, last page and no bad pages behind the place of a
/// boot loader, a signature at the end.
std::array<char, kPageSize> swap_header() {
  constexpr std::size_t kInfo = 1024;
  constexpr std::string_view kSignature = "SWAPSPACE2";
  const std::array<std::uint32_t, 3> info{1, kPages - 1, 0};
  std::array<char, kPageSize> page{};
  std::memcpy(page.data() + kInfo, info.data(), sizeof(info));
  std::memcpy(page.data() + page.size() - kSignature.size(), kSignature.data(), kSignature.size());
  return page;
}

std::string prepare_swap() {
  if (!exists(kSizeFile)) return "kernel has no zram to swap to";
  std::string problem = write_text(kSizeFile, std::to_string(std::uint64_t{kPages} * kPageSize));
  if (!problem.empty()) return problem;
  const std::array<char, kPageSize> header = swap_header();
  problem = write_text(kSwapDevice, {header.data(), header.size()});
  if (!problem.empty()) return "no swap header: " + problem;
  if (swapon(kSwapDevice, 0) != 0) return std::string("swapon ") + kSwapDevice + ": " + std::strerror(errno);
  return {};
}

}  // namespace

const std::string& SwapSpace::prepare() {
  if (!tried_) problem_ = prepare_swap();
  tried_ = true;
  return problem_;
}

}  // namespace luf::guest
