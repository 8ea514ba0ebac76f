// When what happened in a guest, as a picture.
#pragma once

#include <string>
#include <vector>

#include "guest/event.h"

namespace luf::report {

/// An SVG: a bar for each part of each phase, a dot for each finding that was sent. Empty where no phase began.
std::string timeline(const std::vector<guest::Event>& events);

}  // namespace luf::report
