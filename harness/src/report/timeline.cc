#include "report/timeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/event.h"
#include "report/html.h"

namespace luf::report {
namespace {

namespace event = protocol::event;
using html::escaped;

constexpr int kLabels = 150;
constexpr int kWidth = 600;
constexpr int kRow = 18;

struct Bar {
  std::string part;
  std::uint64_t from = 0;
  std::uint64_t to = 0;  ///< 0: it did not end by itself
  std::vector<const guest::Event*> findings;
};

struct PhaseBars {
  std::string name;
  std::uint64_t from = 0;
  std::uint64_t to = 0;  ///< 0: it did not end
  std::vector<Bar> bars;
};

std::vector<PhaseBars> gather(const std::vector<guest::Event>& events) {
  std::vector<PhaseBars> phases;
  for (const guest::Event& one : events) {
    if (one.name == event::kPhaseStart) phases.push_back({one.text("phase"), one.t_ns, 0, {}});
    if (phases.empty()) continue;
    PhaseBars& phase = phases.back();
    if (one.name == event::kPhaseEnd) phase.to = one.t_ns;
    if (one.name == event::kPartStart) phase.bars.push_back({one.text("part"), one.t_ns, 0, {}});
    auto bar = std::find_if(phase.bars.begin(), phase.bars.end(),
                            [&one](const Bar& candidate) { return candidate.part == one.text("part"); });
    if (one.name == event::kPartEnd && bar != phase.bars.end()) bar->to = one.t_ns;
    if (one.name != event::kFinding) continue;
    // The agent's own findings have no bar yet.
    if (bar == phase.bars.end()) bar = phase.bars.insert(bar, {one.text("part"), phase.from, 0, {}});
    bar->findings.push_back(&one);
  }
  return phases;
}

/// Guest time to a place on the picture.
struct Scale {
  std::uint64_t end = 1;
  double x(std::uint64_t t_ns) const {
    return kLabels + static_cast<double>(std::min(t_ns, end)) * kWidth / static_cast<double>(end);
  }
};

std::string dot(const guest::Event& finding, const Scale& scale, int y) {
  const std::uint64_t at = finding.number("at_ns") > 0 ? finding.number("at_ns") : finding.t_ns;
  return fmt::format(
      "<circle class=\"mark\" cx=\"{:.1f}\" cy=\"{}\" r=\"5\"><title>{:.3f} s: {} {}</title></circle>",
      scale.x(at), y + kRow / 2, static_cast<double>(at) / 1e9, escaped(finding.text("rule")),
      escaped(finding.text("detail")));
}

std::string draw(const PhaseBars& phase, const Scale& scale, int& y) {
  const std::uint64_t phase_end = phase.to > 0 ? phase.to : scale.end;
  std::string text = fmt::format("<text x=\"0\" y=\"{}\" font-weight=\"bold\">{}</text>\n", y + 13,
                                 escaped(phase.name + (phase.to > 0 ? "" : " (did not end)")));
  y += kRow;
  for (const Bar& bar : phase.bars) {
    const double from = scale.x(bar.from);
    const double to = scale.x(bar.to > 0 ? bar.to : phase_end);
    text += fmt::format(
        "<text x=\"8\" y=\"{}\">{}</text><rect class=\"{}\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" "
        "height=\"{}\"/>",
        y + 13, escaped(bar.part), bar.findings.empty() ? "a" : "b", from, y + 5, std::max(to - from, 1.0),
        kRow - 10);
    for (const guest::Event* finding : bar.findings) text += dot(*finding, scale, y);
    text += "\n";
    y += kRow;
  }
  return text;
}

/// Whole seconds, about ten of them at most.
std::string axis(const Scale& scale, int y) {
  std::uint64_t step = 1;
  while (scale.end / 1'000'000'000 / step > 10) step *= 2;
  std::string text;
  for (std::uint64_t second = 0; second * 1'000'000'000 <= scale.end; second += step) {
    const double x = scale.x(second * 1'000'000'000);
    text += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1}\"/><text x=\"{0:.1f}\" "
        "y=\"{2}\" "
        "text-anchor=\"middle\">{3} s</text>\n",
        x, y, y + 13, second);
  }
  return text;
}

}  // namespace

std::string timeline(const std::vector<guest::Event>& events) {
  const std::vector<PhaseBars> phases = gather(events);
  if (phases.empty()) return {};
  const Scale scale{std::max<std::uint64_t>(events.back().t_ns, 1)};
  int y = 0;
  std::string body;
  for (const PhaseBars& phase : phases) body += draw(phase, scale, y);
  const int width = kLabels + kWidth + 20;
  const int height = y + kRow;
  return fmt::format(
      "<div class=\"wide\"><svg role=\"img\" aria-label=\"what ran when, in guest time\" width=\"{0}\" "
      "height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" style=\"max-width:none\">\n{2}{3}</svg></div>\n",
      width, height, axis(scale, y), body);
}

}  // namespace luf::report
