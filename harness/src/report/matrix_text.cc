#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/units.h"
#include "report/columns.h"
#include "report/html.h"
#include "report/matrix.h"

namespace luf::report {
namespace {

std::string seconds(double ms) { return fmt::format("{:.2f} s", ms / 1000); }

std::vector<Row> kill_rows(const std::vector<Cell>& cells) {
  std::vector<Row> rows{{"fault", "scenario", "rule", "seen", "by", "median guest time (min-max)", "tries"}};
  for (const Cell& cell : cells) {
    std::set<std::string> by;
    std::vector<double> times;
    std::vector<std::uint64_t> tries;
    for (const Trial& trial : cell.trials) {
      if (trial.rule.empty()) continue;
      by.insert(trial.rule == cell.expected ? trial.detector : trial.detector + " as " + trial.rule);
      if (trial.timed()) times.push_back(static_cast<double>(trial.after_ms));
      tries.push_back(trial.tries);
    }
    std::sort(tries.begin(), tries.end());
    const auto [low, high] = std::minmax_element(times.begin(), times.end());
    rows.push_back(
        {cell.fault, cell.scenario, cell.expected, fmt::format("{}/{}", cell.kills(), cell.trials.size()),
         by.empty() ? "nobody" : fmt::format("{}", fmt::join(by, ", ")),
         times.empty() ? "-"
                       : fmt::format("{} ({}-{})", seconds(cell.median_ms()), seconds(*low), seconds(*high)),
         tries.empty() || tries.back() == 0 ? "-" : format_count(tries[tries.size() / 2])});
  }
  return rows;
}

/// What a detector made of a fault, over all scenarios in which it ran.
struct Square {
  std::size_t trials = 0;
  std::size_t kills = 0;
  std::set<std::string> rules;

  std::string text() const {
    if (trials == 0) return "";
    return kills == 0 ? "." : fmt::format("{} {}/{}", fmt::join(rules, ","), kills, trials);
  }
};

/// Faults against detectors; empty without the cells that only a full matrix has.
std::vector<Row> grid_rows(const Matrix& matrix) {
  if (matrix.others.empty()) return {};
  std::map<std::string, std::map<std::string, Square>> squares;  // fault, detector
  std::set<std::string> detectors;
  std::vector<Cell> cells = matrix.cells;
  cells.insert(cells.end(), matrix.others.begin(), matrix.others.end());
  for (const Cell& cell : cells) {
    for (const std::string& detector : cell.detectors) {
      detectors.insert(detector);
      Square& square = squares[cell.fault][detector];
      for (const Trial& trial : cell.trials) {
        ++square.trials;
        if (trial.rule.empty() || trial.detector != detector) continue;
        ++square.kills;
        square.rules.insert(trial.rule);
      }
    }
  }
  std::vector<Row> rows{{"fault"}};
  rows.front().insert(rows.front().end(), detectors.begin(), detectors.end());
  for (const auto& [fault, by_detector] : squares) {
    Row& row = rows.emplace_back(Row{fault});
    for (const std::string& detector : detectors) {
      const auto found = by_detector.find(detector);
      row.push_back(found == by_detector.end() ? "" : found->second.text());
    }
  }
  return rows;
}

std::string silence_text(const Quiet& quiet) {
  std::string text = fmt::format(
      "without a fault: {} phases of {} seeds, {} s of guest time, {} loads checked, {} promise points "
      "passed in {} "
      "tries, {} flushes deferred: ",
      quiet.phases, quiet.seeds, quiet.guest_ms / 1000, format_count(quiet.loads),
      format_count(quiet.promises), format_count(quiet.tries), format_count(quiet.deferrals));
  if (!quiet.alarms.empty()) return text + fmt::format("{} false alarms\n", quiet.alarms.size());
  if (quiet.phases == 0) return text + "nothing was judged\n";
  text += fmt::format("silent; a false alarm comes in fewer than 3/n = {:.3g} of such phases",
                      3.0 / static_cast<double>(quiet.phases));
  if (quiet.promises > 0)
    text += fmt::format(" and {:.2g} of promise points", 3.0 / static_cast<double>(quiet.promises));
  return text + " (95 %)\n";
}

std::string quiet_text(const Quiet& quiet) {
  return silence_text(quiet) + (quiet.oracle ? judge::to_line(*quiet.oracle) + "\n" : "");
}

std::string problems_text(const Matrix& matrix) {
  std::string text;
  for (const std::string& alarm : matrix.quiet.alarms) text += "false alarm: " + alarm + "\n";
  for (const Hole& hole : matrix.holes) {
    text += hole.accepted.empty()
                ? fmt::format("hole: fault {}: {}\n", hole.fault, hole.what)
                : fmt::format("accepted: fault {}: {}, for {}\n", hole.fault, hole.what, hole.accepted);
  }
  for (const std::string& guest : matrix.useless) text += "of no use: " + guest + "\n";
  return text;
}

nlohmann::ordered_json cells_json(const std::vector<Cell>& cells) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Cell& cell : cells) {
    nlohmann::ordered_json trials = nlohmann::ordered_json::array();
    for (const Trial& trial : cell.trials)
      trials.push_back({{"seed", trial.seed},
                        {"verdict", to_string(trial.outcome)},
                        {"reason", trial.reason},
                        {"rule", trial.rule},
                        {"detector", trial.detector},
                        {"after_ms", trial.after_ms},
                        {"loads", trial.loads},
                        {"tries", trial.tries},
                        {"directory", trial.directory}});
    list.push_back({{"fault", cell.fault},
                    {"scenario", cell.scenario},
                    {"expected", cell.expected},
                    {"detectors", cell.detectors},
                    {"seen", cell.kills()},
                    {"median_ms", cell.median_ms()},
                    {"trials", trials}});
  }
  return list;
}

}  // namespace

std::string idle_table(const std::vector<MatrixGuest>& guests) {
  std::vector<Row> rows{{"scenario", "without injectors", "why"}};
  for (const MatrixGuest& guest : guests)
    rows.push_back(
        {guest.name, std::string(to_string(guest.summary.verdict.outcome)), guest.summary.verdict.reason});
  return columns(rows);
}

std::string to_table(const Matrix& matrix) {
  std::string text = matrix.cells.empty() ? "" : columns(kill_rows(matrix.cells)) + "\n";
  if (const std::vector<Row> grid = grid_rows(matrix); !grid.empty()) text += columns(grid) + "\n";
  return text + quiet_text(matrix.quiet) + problems_text(matrix);
}

std::string to_json(const Matrix& matrix, const std::string& provenance) {
  using nlohmann::ordered_json;
  ordered_json holes = ordered_json::array();
  for (const Hole& hole : matrix.holes)
    holes.push_back({{"fault", hole.fault}, {"what", hole.what}, {"accepted", hole.accepted}});
  const Quiet& quiet = matrix.quiet;
  ordered_json oracle;
  if (quiet.oracle)
    oracle = {{"level", quiet.oracle->level},         {"checked", quiet.oracle->checked},
              {"window", quiet.oracle->window},       {"deferred", quiet.oracle->deferred},
              {"violation", quiet.oracle->violation}, {"unknown", quiet.oracle->unknown}};
  const ordered_json document{{"version", 1},
                              {"exit_code", exit_code(matrix)},
                              {"provenance", provenance},
                              {"cells", cells_json(matrix.cells)},
                              {"others", cells_json(matrix.others)},
                              {"without_fault",
                               {{"phases", quiet.phases},
                                {"seeds", quiet.seeds},
                                {"guest_ms", quiet.guest_ms},
                                {"loads", quiet.loads},
                                {"tries", quiet.tries},
                                {"promises", quiet.promises},
                                {"deferrals", quiet.deferrals},
                                {"oracle", oracle},
                                {"alarms", quiet.alarms}}},
                              {"holes", holes},
                              {"of_no_use", matrix.useless}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string to_html(const Matrix& matrix, const std::string& provenance) {
  std::string body = "<h1>Which planted fault is seen by whom</h1>\n" + html::table(kill_rows(matrix.cells));
  if (const std::vector<Row> grid = grid_rows(matrix); !grid.empty()) body += html::table(grid);
  body +=
      fmt::format("<pre>{}</pre>\n<pre>{}</pre>\n",
                  html::escaped(quiet_text(matrix.quiet) + problems_text(matrix)), html::escaped(provenance));
  return html::page("lufbed matrix", body);
}

}  // namespace luf::report
