// The host side of the plan device (docs/guest-protocol.md).
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace luf::guest {

/// Writes the file behind the shared memory area: kPlanDeviceSize bytes that hold `plan`. To be done before
/// the machine starts. Errors: scenario when the plan is too large; infra.
Result<void> write_plan_device(const std::filesystem::path& path, std::string_view plan);

}  // namespace luf::guest
