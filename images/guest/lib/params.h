// Parameters that several detectors have.
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

constexpr Param period_param(std::uint64_t fallback_ns, std::string_view summary) {
  return {.name = "period",
          .type = ParamType::duration,
          .default_number = fallback_ns,
          .min = 1000,
          .max = 60'000'000'000,
          .summary = summary};
}

/// Of a detector of old data: docs/detectors.md.
constexpr Param settle_param() {
  return {.name = "settle",
          .type = ParamType::duration,
          .default_number = 5'000'000,
          .max = 60'000'000'000,
          .summary = "how long old data must stay readable to be a finding, in steps of 1 ms"};
}

/// The first of `choices` is taken when a scenario names none.
constexpr Param choice_param(std::string_view name, std::span<const std::string_view> choices,
                             std::string_view summary) {
  return {.name = name,
          .type = ParamType::choice,
          .default_choice = choices.front(),
          .choices = choices,
          .summary = summary};
}

constexpr Param via_param(std::span<const std::string_view> choices, std::string_view summary) {
  return choice_param("via", choices, summary);
}

}  // namespace luf::guest
