#include "run/steering.h"

#include <array>
#include <nlohmann/json.hpp>

#include "artifact/symbols.h"
#include "base/file.h"

namespace luf::run {
namespace {

/// Where unmappers put flushes off and where flushes are made up for. What a kernel has not, or has inlined, is left out.
constexpr std::array kPoints{"try_to_unmap_one",
                             "try_to_migrate_one",
                             "try_to_unmap_flush",
                             "arch_tlbbatch_flush",
                             "flush_tlb_mm_range",
                             "native_flush_tlb_multi",
                             "ptep_clear_flush",
                             "handle_mm_fault",
                             "set_pte_range",
                             "finish_fault",
                             "wp_page_copy",
                             "copy_page_range",
                             "luf_publish",
                             "luf_settle",
                             "__luf_flush_mm",
                             "__luf_flush_mapping",
                             "__luf_delay",
                             "__luf_before_mkwrite",
                             "luf_fold"};

using Symbols = std::map<std::string, std::uint64_t>;

Result<std::string> addresses_of(const Symbols& symbols, const scenario::Schedule& schedule,
                                 const std::filesystem::path& kernel) {
  std::string text;
  const auto add = [&](const std::string& name) {
    const auto found = symbols.find(name);
    if (found == symbols.end()) return false;
    text += fmt::format("{}{:x}", text.empty() ? "" : "+", found->second);
    return true;
  };
  for (const std::string& name : schedule.points)
    if (!add(name))
      return fail(Blame::kScenario, "\"schedule.points\": {} has no function {}", kernel.string(), name);
  if (schedule.points.empty())
    for (const char* name : kPoints) add(name);
  if (text.empty())
    return fail(Blame::kScenario, "{} has none of the functions that points stand for", kernel.string());
  return text;
}

}  // namespace

Result<void> add_steering(const Settings& settings, const scenario::Scenario& scenario,
                          const std::filesystem::path& report, machine::QemuSetup& setup) {
  const scenario::Schedule& schedule = scenario.schedule;
  const bool stops = settings.stop.watch != 0 || settings.stop.at != 0;
  if (!setup.icount || (!schedule.steered() && !stops)) return {};
  std::string option =
      (executable_directory() / "../lib/luf-steer.so").string() + ",report=" + report.string();
  if (schedule.steered()) {
    const Result<Symbols> symbols = artifact::symbols_of(settings.kernel.file);
    if (!symbols) return pass_on(symbols);
    const Result<std::string> points = addresses_of(*symbols, schedule, settings.kernel.file);
    if (!points) return pass_on(points);
    option += fmt::format(",strategy={},seed={},depth={},steps={},points={}", schedule.strategy,
                          scenario.seed, schedule.depth, schedule.steps, *points);
  }
  if (settings.stop.watch != 0) option += fmt::format(",watch={:x}", settings.stop.watch);
  if (settings.stop.at != 0) option += fmt::format(",stop_at={}", settings.stop.at);
  setup.plugins.push_back(option);
  return {};
}

Result<Steered> read_steered(const std::filesystem::path& report) {
  const Result<std::string> text = read_file(report);
  if (!text) return pass_on(text);
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return fail(Blame::kInfra, "{} is no report of luf-steer", report.string());
  return Steered{json.value("instructions", std::uint64_t{0}), json.value("hits", std::uint64_t{0}),
                 json.value("order", ""), json.value("watched_at", std::uint64_t{0}),
                 json.value("watched_cpu", 0U)};
}

}  // namespace luf::run
