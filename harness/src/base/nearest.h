// "Did you mean ...?" for names that people mistype.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace luf {

/// The candidate with the smallest edit distance to `name`, or empty when none is near
/// (more than a third of the name's length, at least 2 edits). Thread: any.
std::string nearest(std::string_view name, std::span<const std::string> candidates);

/// " (did you mean "x"?)" for the nearest candidate, or empty.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

}  // namespace luf
