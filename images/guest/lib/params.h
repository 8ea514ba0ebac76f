// Parameters that several parts have.
#pragma once

#include <array>

#include "lib/part.h"

namespace luf::guest {

constexpr Param pages_param(std::uint64_t least, std::uint64_t most, std::string_view summary) {
  return {.name = "pages",
          .type = ParamType::count,
          .default_number = 48,
          .min = least,
          .max = most,
          .summary = summary};
}

constexpr Param duration_param(std::string_view name, std::uint64_t fallback_ns, std::uint64_t least_ns,
                               std::string_view summary) {
  return {.name = name,
          .type = ParamType::duration,
          .default_number = fallback_ns,
          .min = least_ns,
          .max = 60'000'000'000,
          .summary = summary};
}

/// Of a detector.
constexpr Param period_param(std::uint64_t fallback_ns, std::string_view summary) {
  return duration_param("period", fallback_ns, 1000, summary);
}

/// Of a detector of old data: docs/detectors.md.
constexpr Param settle_param() {
  return duration_param("settle", 5'000'000, 0,
                        "how long old data must stay readable to be a finding, in steps of 1 ms");
}

/// The first of `choices` is taken when a scenario names none.
constexpr Param choice_param(std::string_view name, std::span<const std::string_view> choices,
                             std::string_view summary, std::span<const std::string_view> swapped = {}) {
  return {.name = name,
          .type = ParamType::choice,
          .default_choice = choices.front(),
          .choices = choices,
          .summary = summary,
          .swapped = swapped};
}

constexpr Param via_param(std::span<const std::string_view> choices, std::string_view summary,
                          std::span<const std::string_view> swapped = {}) {
  return choice_param("via", choices, summary, swapped);
}

}  // namespace luf::guest
