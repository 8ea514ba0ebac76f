// The host side of the plan device (docs/guest-protocol.md).
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace luf::guest {

/// Writes the file behind the shared memory area: kPlanDeviceSize bytes that hold `plan`. To be done before
/// the machine starts. Errors: scenario when the plan is too large; infra.
Result<void> write_plan_device(const std::filesystem::path& path, std::string_view plan);

/// The same for a guest that becomes a template: no plan, but the word that there will be one. Errors: infra.
Result<void> write_template_device(const std::filesystem::path& path);

}  // namespace luf::guest
