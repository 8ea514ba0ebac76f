#include "run/ready.h"

#include "run/accel.h"
#include "run/module_image.h"

namespace luf::run {

Task<Result<Ready>> make_ready(const Environment& environment, const Settings& given) {
  const Result<std::string> version = co_await qemu_version(environment, given.qemu);
  if (!version) co_return pass_on(version);
  const Result<artifact::Image> image = co_await image_for(environment, given);
  if (!image) co_return pass_on(image);
  Ready ready{given, *version};
  ready.settings.image = *image;
  co_return ready;
}

}  // namespace luf::run
