#include "agent/plan.h"

#include <atomic>
#include <cstring>
#include <nlohmann/json.hpp>

#include "lib/shared_area.h"
#include "protocol/plan_device.h"

namespace luf::guest {

namespace {

using nlohmann::json;

struct BadPlan {
  std::string problem;
};

PlannedPart read_part(const json& node) {
  PlannedPart part;
  part.id = node.at("id").get<std::string>();
  part.kind = node.at("kind").get<std::string>();
  part.name = node.at("name").get<std::string>();
  if (part.id.empty() || part.id.find('/') != std::string::npos)
    throw BadPlan{"part id \"" + part.id + "\" cannot be a file name"};
  const json params = node.value("params", json::object());
  for (const auto& [name, value] : params.items()) {
    if (value.is_number_integer()) {
      part.params.numbers[name] = value.get<std::uint64_t>();
    } else if (value.is_string()) {
      part.params.texts[name] = value.get<std::string>();
    } else {
      throw BadPlan{"parameter " + name + " of part " + part.id + " is neither an integer nor a string"};
    }
  }
  return part;
}

Phase read_phase(const json& node) {
  Phase phase;
  phase.name = node.at("name").get<std::string>();
  phase.duration_ms = node.at("duration_ms").get<std::uint64_t>();
  const std::string stop = node.value("stop", "duration");
  if (stop != "duration" && stop != "finding")
    throw BadPlan{"phase " + phase.name + ": unknown stop \"" + stop + "\""};
  phase.stop_at_finding = stop == "finding";
  for (const json& need : node.value("needs", json::array())) {
    if (need != "luf") throw BadPlan{"phase " + phase.name + ": unknown need " + need.dump()};
    phase.needs_luf = true;
  }
  for (const json& setting : node.value("settings", json::array())) {
    phase.settings.push_back({setting.at("path").get<std::string>(), setting.at("value").get<std::string>(),
                              setting.value("optional", false)});
  }
  for (const json& part : node.value("parts", json::array())) {
    phase.parts.push_back(read_part(part));
    for (std::size_t i = 0; i + 1 < phase.parts.size(); ++i) {
      if (phase.parts[i].id == phase.parts.back().id)
        throw BadPlan{"phase " + phase.name + ": part id " + phase.parts[i].id + " stands twice"};
    }
  }
  if (phase.parts.size() > kMaxParts)
    throw BadPlan{"phase " + phase.name + ": more than " + std::to_string(kMaxParts) + " parts"};
  return phase;
}

}  // namespace

std::string parse_plan(std::string_view text, Plan& plan) {
  try {
    const json root = json::parse(text);
    if (root.at("version") != 1) return "plan: version " + root.at("version").dump() + ", this guest reads 1";
    Plan result;
    result.scenario = root.at("scenario").get<std::string>();
    result.seed = root.value("seed", std::uint64_t{1});
    result.exact_time = root.value("exact_time", false);
    const std::string end = root.value("end", "wait");
    if (end != "wait" && end != "reset") return "plan: unknown end \"" + end + "\"";
    result.end_by_reset = end == "reset";
    for (const json& phase : root.at("phases")) result.phases.push_back(read_phase(phase));
    plan = std::move(result);
    return {};
  } catch (const BadPlan& bad) {
    return "plan: " + bad.problem;
  } catch (const json::exception& error) {
    return std::string("plan: ") + error.what();
  }
}

PlanState read_plan_device(std::span<const std::byte> device, std::string& text, std::string& problem) {
  protocol::PlanHeader header{};
  if (device.size() < sizeof(header)) return PlanState::absent;
  std::memcpy(header.magic, device.data(), sizeof(header.magic));
  if (std::memcmp(header.magic, protocol::kTemplateMagic, sizeof(header.magic)) == 0)
    return PlanState::be_template;
  if (std::memcmp(header.magic, protocol::kPlanMagic, sizeof(header.magic)) != 0) return PlanState::absent;
  std::atomic_thread_fence(std::memory_order_acquire);  // the host writes the magic last
  std::memcpy(&header, device.data(), sizeof(header));
  if (header.length > device.size() - sizeof(header)) {
    problem = "plan device: length " + std::to_string(header.length) + " does not fit";
    return PlanState::damaged;
  }
  const auto bytes = device.subspan(sizeof(header), header.length);
  text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // Over the copy: the host's memory must not change between the check and the use.
  const std::uint32_t crc = protocol::crc32(std::as_bytes(std::span(text)));
  if (crc != header.crc32) {
    problem =
        "plan device: CRC-32 " + std::to_string(crc) + ", the header says " + std::to_string(header.crc32);
    return PlanState::damaged;
  }
  return PlanState::present;
}

}  // namespace luf::guest
