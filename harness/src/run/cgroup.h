// What the control groups that this program runs in leave it of the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>

namespace luf::run {

/// The tightest limit of the own group and of all above it, as far as they can be seen; the largest number: none.
struct Allowance {
  std::size_t cpus = std::numeric_limits<std::size_t>::max();        ///< whole ones, at least 1
  std::uint64_t memory = std::numeric_limits<std::uint64_t>::max();  ///< bytes that can still be had
};

/// Reads /proc/self and the groups' files, of version 1 and 2 (Documentation/admin-guide/cgroup-v2.rst), below `root`. What
/// cannot be read limits nothing. Thread: any.
Allowance cgroup_allowance(const std::filesystem::path& root);

}  // namespace luf::run
