#include "guest/plan_device.h"

#include <cstring>

#include "base/file.h"
#include "protocol/plan_device.h"

namespace luf::guest {

Result<void> write_plan_device(const std::filesystem::path& path, std::string_view plan) {
  constexpr std::size_t kMost = protocol::kPlanDeviceSize - sizeof(protocol::PlanHeader);
  if (plan.size() > kMost) {
    return fail(Blame::kScenario, "the plan has {} bytes, but only {} fit; use fewer phases or parts",
                plan.size(), kMost);
  }
  protocol::PlanHeader header{};
  std::memcpy(header.magic, protocol::kPlanMagic, sizeof(header.magic));
  header.length = static_cast<std::uint32_t>(plan.size());
  header.crc32 = protocol::crc32(std::as_bytes(std::span(plan)));
  std::string area(protocol::kPlanDeviceSize, '\0');
  std::memcpy(area.data(), &header, sizeof(header));
  std::memcpy(area.data() + sizeof(header), plan.data(), plan.size());
  return write_file(path, area);
}

}  // namespace luf::guest
