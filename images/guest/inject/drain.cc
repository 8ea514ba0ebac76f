// Injector: makes the kernel flush for all that is pending and give the frames back, by writing to the series'
// `drain`. It is the only way for frames to come back when neither the bound on their age nor the one on their
// number is reached. Runs on CPU 0, outside the parts' cgroup.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "lib/params.h"
#include "lib/part_context.h"
#include "protocol/luf_sysfs.h"

namespace luf::guest {

namespace {

constexpr std::array<Param, 1> kParams{{
    duration_param("period", 5'000'000, 10'000, "pause between two drains"),
}};

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  auto& drains = context.metric("drains");
  const std::string path = std::string(protocol::kLufDir) + "/drain";
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) context.fail("open %s: %s", path.c_str(), std::strerror(errno));
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    if (pwrite(fd, "1", 1, 0) != 1) context.fail("write to %s: %s", path.c_str(), std::strerror(errno));
    drains.fetch_add(1);
    sleep_ns(period);
  }
}

}  // namespace

extern const Part drain{.kind = PartKind::injector,
                        .name = "drain",
                        .summary = "makes the kernel flush for all that is pending",
                        .params = kParams,
                        .run = run};

}  // namespace luf::guest
