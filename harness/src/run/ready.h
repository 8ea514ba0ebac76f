// What is done once before the guests of a command.
#pragma once

#include <string>

#include "run/settings.h"

namespace luf::run {

/// Settings that guests can be run with, and the QEMU that will run them.
struct Ready {
  Settings settings;
  std::string qemu_version;
};

/// Asks QEMU for its version, has the modules of a brought kernel put into the image, cleans up after a killed lufbed, and
/// connects to libvirt if that is to run the guests. Errors: infra, timeout.
Task<Result<Ready>> make_ready(const Environment& environment, const Settings& given);

}  // namespace luf::run
