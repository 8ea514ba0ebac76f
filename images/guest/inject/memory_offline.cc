// Injector: takes a block of memory offline and online again: the kernel migrates all that is in it, or reclaims it.
// Effect: blocks that went; metric `pages`: pages that migrated meanwhile. It takes in turn the blocks of which the kernel
// says that all of it can move (ZONE_MOVABLE); the last ones of each node, where kernel and firmware took memory before there
// were zones, are refused. Offlining that takes too long is given up, by a signal.
// Runs on CPU 0, outside the parts' cgroup.
#include <dirent.h>
#include <signal.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "lib/params.h"
#include "lib/unmappers.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr const char* kBlocks = "/sys/devices/system/memory";
constexpr std::array<Param, 2> kParams{{
    duration_param("period", 200'000'000, 10'000, "pause between two removals"),
    duration_param("length", 50'000'000, 10'000, "for which the block is gone"),
}};
constexpr itimerval kLimit{{0, 100'000}, {2, 0}};

void on_alarm(int) {}

/// The directories of the blocks that are online and movable.
std::vector<std::string> movable_blocks() {
  std::vector<std::string> blocks;
  DIR* directory = opendir(kBlocks);
  if (directory == nullptr) return blocks;
  while (const dirent* entry = readdir(directory)) {
    const std::string block = std::string(kBlocks) + "/" + entry->d_name;
    if (std::string_view(entry->d_name).starts_with("memory") &&
        read_text(block + "/valid_zones") == "Movable\n")
      blocks.push_back(block);
  }
  closedir(directory);
  return blocks;
}

std::string lacks(const ParamValues&) {
  return movable_blocks().empty()
             ? "no block of memory is movable; say e.g. movablecore=640M in kernel.cmdline, of 1GiB"
             : std::string();
}

bool take_off(PartContext& context, const std::string& block) {
  const Unmapping unmapping(context.area(), context.index());
  setitimer(ITIMER_REAL, &kLimit, nullptr);
  const bool gone = write_text(block + "/state", "offline").empty();
  constexpr itimerval kNever{};
  setitimer(ITIMER_REAL, &kNever, nullptr);
  return gone;
}

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  const std::uint64_t length = context.number("length");
  auto& refused = context.metric("refused");
  auto& effects = context.metric("effects");
  auto& pages = context.metric("pages");
  const std::vector<std::string> blocks = movable_blocks();
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  struct sigaction alarm = {};
  alarm.sa_handler = on_alarm;
  sigaction(SIGALRM, &alarm, nullptr);
  context.wait_for_start();
  for (std::size_t turn = 0; !context.stopping(); ++turn) {
    const std::string& block = blocks[turn % blocks.size()];
    const std::uint64_t before = vmstat_sum({"pgmigrate_success"});
    if (take_off(context, block)) {
      effects.fetch_add(1);
      pages.fetch_add(vmstat_sum({"pgmigrate_success"}) - before);
      sleep_ns(length);
      const std::string problem = write_text(block + "/state", "online_movable");
      if (!problem.empty()) context.fail("the block does not come back: %s", problem.c_str());
    } else {
      refused.fetch_add(1);
    }
    sleep_ns(period);
  }
}

}  // namespace

extern const Part memory_offline{.kind = PartKind::injector,
                                 .name = "memory_offline",
                                 .summary = "takes a block of memory offline and online again",
                                 .params = kParams,
                                 .needs_file = kBlocks,
                                 .lacks = lacks,
                                 .run = run};

}  // namespace luf::guest
