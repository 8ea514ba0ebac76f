#include "guest/plan_device.h"

#include <cstring>

#include "base/file.h"
#include "protocol/plan_device.h"

namespace luf::guest {

namespace {

/// The rest of the area is a hole: a thousand runs shall not fill the disk with zeros.
Result<void> write_area(const std::filesystem::path& path, std::string_view begin) {
  if (const Result<void> written = write_file(path, begin); !written) return written;
  std::error_code error;
  std::filesystem::resize_file(path, protocol::kPlanDeviceSize, error);
  if (error)
    return fail(Blame::kInfra, "cannot make {} as large as the plan device: {}", path.string(),
                error.message());
  return {};
}

}  // namespace

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
  std::string area(sizeof(header), '\0');
  std::memcpy(area.data(), &header, sizeof(header));
  area += plan;
  return write_area(path, area);
}

Result<void> write_template_device(const std::filesystem::path& path) {
  return write_area(path, {protocol::kTemplateMagic, sizeof(protocol::kTemplateMagic)});
}

}  // namespace luf::guest
