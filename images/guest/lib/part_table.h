// The generated table with the file each part stands in: for the test that names match.
#pragma once

#include <span>
#include <string_view>

#include "lib/part.h"

namespace luf::guest {

struct PartEntry {
  const Part* part;
  std::string_view folder;  ///< workload, inject or detect
  std::string_view file;    ///< without .cc
};

std::span<const PartEntry> part_entries();

}  // namespace luf::guest
