// The closed vocabulary of results.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace luf::judge {

enum class Outcome { kPass, kFail, kKnownFailure, kUnexpectedPass, kSkip, kVacuous, kInfra };

constexpr std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
      return "pass";
    case Outcome::kFail:
      return "fail";
    case Outcome::kKnownFailure:
      return "known_failure";
    case Outcome::kUnexpectedPass:
      return "unexpected_pass";
    case Outcome::kSkip:
      return "skip";
    case Outcome::kVacuous:
      return "vacuous";
    case Outcome::kInfra:
      return "infra";
  }
  return "infra";
}

struct PhaseVerdict {
  std::string phase;
  Outcome outcome = Outcome::kInfra;
  std::string reason;  ///< one sentence
};

struct Verdict {
  Outcome outcome = Outcome::kInfra;
  std::string reason;          ///< one sentence
  std::optional<Blame> blame;  ///< only when not green
  std::vector<PhaseVerdict> phases;
  std::vector<std::string> notes;  ///< what else a reader should know
};

}  // namespace luf::judge
