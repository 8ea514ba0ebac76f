// The one place that says what a failure looks like.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace luf {

/// Who has to act on a failure. What nobody labelled is infra, never guest.
enum class Blame { kScenario, kInfra, kGuest, kTimeout, kCancelled, kBug };

/// The word for `blame` in messages and files. Thread: any.
constexpr std::string_view to_string(Blame blame) {
  switch (blame) {
    case Blame::kScenario:
      return "scenario";
    case Blame::kInfra:
      return "infra";
    case Blame::kGuest:
      return "guest";
    case Blame::kTimeout:
      return "timeout";
    case Blame::kCancelled:
      return "cancelled";
    case Blame::kBug:
      return "bug";
  }
  return "bug";
}

/// What was attempted, on what, and what came back, in one sentence without a full stop.
struct Error {
  Blame blame = Blame::kInfra;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

/// An error result: `return fail(Blame::kInfra, "cannot open {}: {}", path, text);`
template <typename... Args>
tl::unexpected<Error> fail(Blame blame, fmt::format_string<Args...> format, Args&&... args) {
  return tl::make_unexpected(Error{blame, fmt::format(format, std::forward<Args>(args)...)});
}

/// Hands on the error of a failed `Result` of another type.
template <typename T>
tl::unexpected<Error> pass_on(const Result<T>& failed) {
  return tl::make_unexpected(failed.error());
}

}  // namespace luf
