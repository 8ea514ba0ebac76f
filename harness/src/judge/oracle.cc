#include "judge/oracle.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/units.h"

namespace luf::judge {
namespace {

OracleFinding read_finding(const nlohmann::json& json) {
  OracleFinding finding;
  finding.phase = json.at("phase").get<int>();
  finding.rule = json.at("rule").get<std::string>();
  finding.count = json.at("count").get<std::uint64_t>();
  finding.detail =
      fmt::format("A {} of address {} by CPU {} went to frame {} by an entry {} {} ns before at {}: {}.",
                  json.at("access").get<std::string>(), json.at("address").get<std::string>(),
                  json.at("cpu").get<int>(), json.at("frame").get<std::string>(),
                  json.at("change").get<std::string>(), json.at("age_ns").get<std::uint64_t>(),
                  json.at("changed_by").get<std::string>(), json.at("reason").get<std::string>());
  for (const nlohmann::json& mark : json.at("marks")) {
    finding.marks.push_back({mark.at("cpu").get<unsigned>(), mark.at("before_ns").get<std::uint64_t>(),
                             mark.at("what").get<std::string>()});
  }
  return finding;
}

}  // namespace

Result<OracleReport> parse_oracle_report(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    OracleReport report;
    report.complete = json.at("complete").get<bool>();
    report.level = json.at("level").get<std::string>();
    report.checked = json.at("checked").get<std::uint64_t>();
    const nlohmann::json& classes = json.at("classes");
    report.window = classes.at("window").get<std::uint64_t>();
    report.deferred = classes.at("deferred").get<std::uint64_t>();
    report.violation = classes.at("violation").get<std::uint64_t>();
    report.unknown = classes.at("unknown").get<std::uint64_t>();
    for (const nlohmann::json& finding : json.at("findings"))
      report.findings.push_back(read_finding(finding));
    return report;
  } catch (const nlohmann::json::exception& error) {
    return fail(Blame::kInfra, "the oracle's report cannot be read: {}", error.what());
  }
}

void add_counts(const OracleReport& from, OracleReport& to) {
  to.checked += from.checked;
  to.window += from.window;
  to.deferred += from.deferred;
  to.violation += from.violation;
  to.unknown += from.unknown;
}

std::string to_line(const OracleReport& report) {
  return fmt::format("oracle ({}): window {}, deferred {}, violation {}, unknown {} of {} accesses checked",
                     report.level, format_count(report.window), format_count(report.deferred),
                     format_count(report.violation), format_count(report.unknown),
                     format_count(report.checked));
}

}  // namespace luf::judge
