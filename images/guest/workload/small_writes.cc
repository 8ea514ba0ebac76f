// Workload: overwrites the first MiB of a file with small write(2)s, without end. An operation is a write.
//
// With `to = "shared_file"` it is the file of the workload of that name, whose pages readers map and the kernel
// reclaims: the writes then meet flushes that were deferred for this file. It runs on CPU 0, the only one that is not
// a reader's. Otherwise it is a file that nobody maps, on CPU 1.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "lib/cost_meter.h"
#include "lib/page_file.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kTo{"own_file", "shared_file"};
constexpr std::array<Param, 2> kParams{{
    {.name = "block",
     .type = ParamType::size,
     .default_number = 64,
     .min = 1,
     .max = 1U << 20U,
     .summary = "bytes of one write"},
    {.name = "to",
     .type = ParamType::choice,
     .default_choice = "own_file",
     .choices = kTo,
     .summary = "a file nobody maps, or that of the workload shared_file"},
}};

constexpr std::uint64_t kSpan = 1U << 20U;

void run(PartContext& context) {
  const std::uint64_t block = context.number("block");
  const bool shared = context.choice("to") == "shared_file";
  CostMeter meter(context);
  const std::string path = "/mnt/" + (shared ? std::string("shared_file") : context.id());
  const int fd = open_page_file(context, path, O_WRONLY | O_CREAT);
  const std::vector<char> data(block, 'w');
  const unsigned cpu = shared ? 0 : 1;
  if (!pin_to_cpu(cpu)) context.fail("pin to CPU %u: %s", cpu, std::strerror(errno));
  context.wait_for_start();
  std::uint64_t offset = 0;
  while (!context.stopping()) {
    meter.measure(1, [&] {
      if (pwrite(fd, data.data(), block, static_cast<off_t>(offset)) != static_cast<ssize_t>(block))
        context.fail("write to %s: %s", path.c_str(), std::strerror(errno));
    });
    offset = offset + 2 * block > kSpan ? 0 : offset + block;
  }
}

}  // namespace

extern const Part small_writes{.kind = PartKind::workload,
                               .name = "small_writes",
                               .summary = "overwrites a file with small write(2)s, again and again",
                               .params = kParams,
                               .needs_disk = true,
                               .run = run};

}  // namespace luf::guest
