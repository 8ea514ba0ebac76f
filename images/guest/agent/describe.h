// The catalogue of parts as JSON (docs/guest-protocol.md).
#pragma once

#include <string>

namespace luf::guest {

/// The whole catalogue, indented, with a newline at its end.
std::string describe_parts();

}  // namespace luf::guest
