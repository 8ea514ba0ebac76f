// What a deterministic run came to, in a few hashes: two runs with equal inputs must have equal ones.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace luf::run {

/// SHA-256 of the parts of a run. Events carry guest time, a count of instructions, and every counter of the kernel, so
/// that runs which part at any point differ in them.
struct Digest {
  std::string events;
  std::string console;
  std::string state;  ///< what all virtual CPUs held at the end; empty: the guest did not come to its end

  /// One hash over all.
  std::string whole() const;
  bool operator==(const Digest&) const = default;
};

Digest digest_of(std::string_view events, std::string_view console, std::string_view state);

/// digest.json
std::string to_json(const Digest& digest);

/// Reads a run directory's digest.json. Errors: scenario, when there is none, as of a run that was not deterministic.
Result<Digest> digest_in(const std::filesystem::path& directory);

/// Where two event streams part, one sentence: the first line that differs, as both have it; empty when they are equal.
std::string first_difference(std::string_view first, std::string_view second);

}  // namespace luf::run
