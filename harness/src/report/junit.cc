#include <fmt/format.h>

#include "report/summary.h"

namespace luf::report {
namespace {

/// Escapes for XML; control characters that XML 1.0 forbids become '?'.
std::string xml(std::string_view text) {
  std::string escaped;
  for (char character : text) {
    switch (character) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\n':
        escaped += "&#10;";
        break;
      default:
        escaped += static_cast<unsigned char>(character) < 0x20 && character != '\t' ? '?' : character;
    }
  }
  return escaped;
}

/// The element that JUnit has for an outcome; empty for the green ones.
std::string_view element(judge::Outcome outcome) {
  using judge::Outcome;
  switch (outcome) {
    case Outcome::kFail:
    case Outcome::kUnexpectedPass:
      return "failure";
    case Outcome::kInfra:
    case Outcome::kVacuous:
      return "error";
    case Outcome::kSkip:
      return "skipped";
    case Outcome::kPass:
    case Outcome::kKnownFailure:
      return "";
  }
  return "error";
}

}  // namespace

std::string to_junit(const std::vector<Summary>& summaries) {
  std::map<std::string_view, int> tally;
  double seconds = 0;
  std::string cases;
  for (const Summary& summary : summaries) {
    const std::string_view kind = element(summary.verdict.outcome);
    ++tally[kind];
    seconds += summary.seconds;
    cases += fmt::format("  <testcase classname=\"lufbed\" name=\"{}\" time=\"{:.3f}\">\n",
                         xml(summary.scenario), summary.seconds);
    if (!kind.empty()) {
      const std::string_view type = to_string(summary.verdict.outcome);
      cases += kind == "skipped" ? fmt::format("    <skipped message=\"{}\"/>\n", xml(summary.verdict.reason))
                                 : fmt::format("    <{0} type=\"{1}\" message=\"{2}\"/>\n", kind, type,
                                               xml(summary.verdict.reason));
    }
    cases += fmt::format(
        "    <system-out>{}: loads {}, findings {}, run directory {}</system-out>\n  </testcase>\n",
        xml(summary.accel), summary.loads, summary.findings, xml(summary.directory.string()));
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"lufbed\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
      "time=\"{:.3f}\">\n{}</testsuite>\n",
      summaries.size(), tally["failure"], tally["error"], tally["skipped"], seconds, cases);
}

}  // namespace luf::report
