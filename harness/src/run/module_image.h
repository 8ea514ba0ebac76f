// The image for a kernel that keeps its drivers in modules.
#pragma once

#include "run/settings.h"

namespace luf::run {

/// Where the modules of a brought kernel lie: the directory asked for, else `modules` or
/// lib/modules/<release> beside the kernel file or one folder up, else /lib/modules/<release>; empty when
/// there is none.
std::filesystem::path modules_of(const Settings& settings);

/// The image to boot: the one given, or, for a brought kernel with modules, one extended by what a guest
/// needs of them. That one is made by the tool luf-initramfs and kept in the cache. Errors: infra, also when
/// modules that were asked for do not exist.
Task<Result<artifact::Image>> image_for(const Environment& environment, const Settings& settings);

}  // namespace luf::run
