#include "run/ready.h"

#include "run/accel.h"
#include "run/leftovers.h"
#include "run/module_image.h"

namespace luf::run {
namespace {

constexpr std::chrono::seconds kConnectPatience(30);

/// Connects when guests are to be run by libvirt.
Task<Result<void>> connect(const Environment& environment, Settings& settings) {
  if (settings.machine != "libvirt") co_return Result<void>();
  settings.libvirt = std::make_shared<machine::LibvirtHost>(environment.executor, environment.clock);
  const TimePoint deadline = environment.clock.now() + kConnectPatience;
  co_return co_await settings.libvirt->open(settings.connect, deadline);
}

}  // namespace

Task<Result<Ready>> make_ready(const Environment& environment, const Settings& given) {
  const Result<std::string> version = co_await qemu_version(environment, given.qemu);
  if (!version) co_return pass_on(version);
  const Result<artifact::Image> image = co_await image_for(environment, given);
  if (!image) co_return pass_on(image);
  for (const std::string& done : clean_leftovers())
    environment.progress.say("left by a killed lufbed: " + done);
  Ready ready{given, *version};
  ready.settings.image = *image;
  const Result<void> connected = co_await connect(environment, ready.settings);
  if (!connected) co_return pass_on(connected);
  co_return ready;
}

}  // namespace luf::run
