// How a violation came about: CPUs side by side, time downwards.
#pragma once

#include <string>

#include "judge/oracle.h"

namespace luf::report {

/// For a terminal: a column for each CPU that had a part in it, times in us before the violating access.
std::string violation_text(const judge::OracleFinding& finding);

/// The same as a self-contained SVG image that follows the reader's light or dark setting.
std::string violation_svg(const judge::OracleFinding& finding);

}  // namespace luf::report
