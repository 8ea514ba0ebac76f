// luf-guest: /init of the guest, and the catalogue of its parts.
#include <fcntl.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "agent/boot.h"
#include "agent/describe.h"
#include "agent/phase_runner.h"
#include "agent/plan.h"
#include "lib/doorbell.h"
#include "protocol/event.h"

namespace luf::guest {

namespace {

namespace event = protocol::event;

void tell_error(EventStream& events, const std::string& message) {
  events.emit(event::kError, Json{{"message", message}});
}

/// A clone goes on behind this. What most runs need is made before, once for all of them.
std::string be_template(EventStream& events, RamDisk& disk, int port) {
  disk.prepare();
  events.emit(event::kReady);
  tcdrain(port);
  // All other CPUs must sleep when this one stops the machine: then the state that is saved depends on nothing else.
  sleep_ns(200'000'000);
  return stop_machine();
}

/// Waits for the host's plan. Returns false, having told why, when there can be none.
bool wait_for_plan(EventStream& events, RamDisk& disk, int port, Plan& plan) {
  std::string problem;
  const auto device = map_plan_device(problem);
  std::string text;
  bool said_ready = false;
  while (problem.empty()) {
    const PlanState state = read_plan_device(device, text, problem);
    if (state == PlanState::present || state == PlanState::damaged) break;
    if (!said_ready) {
      said_ready = true;
      if (state == PlanState::be_template) {
        problem = be_template(events, disk, port);
        continue;
      }
      events.emit(event::kReady);
    }
    sleep_ns(10'000'000);
  }
  if (problem.empty()) problem = parse_plan(text, plan);
  if (problem.empty()) return true;
  tell_error(events, problem);
  return false;
}

void run_plan(EventStream& events, int port) {
  for (const std::string& problem : mount_all()) tell_error(events, problem);
  for (const std::string& problem : load_modules()) tell_error(events, problem);
  for (const std::string& problem : start_cpus()) tell_error(events, problem);
  const Topology topology = probe_topology();
  // Away from the CPUs on which readers spin.
  pin_to_cpu(0);
  map_doorbell();  // without it only the oracle misses something
  Plan plan;
  RamDisk disk;
  if (wait_for_plan(events, disk, port, plan)) {
    events.emit(event::kPlan, Json{{"scenario", plan.scenario}, {"phases", plan.phases.size()}});
    SwapSpace swap;
    PhaseRunner runner(events, topology, disk, swap, plan);
    for (const Phase& phase : plan.phases) runner.run(phase);
  }
  events.emit(event::kDone, Json{{"phases", plan.phases.size()}});
  if (!plan.end_by_reset) return;
  tcdrain(port);
  reboot(RB_AUTOBOOT);
}

[[noreturn]] void be_init() {
  const int port = open_event_port();
  if (port < 0) {
    std::printf("luf-guest: open /dev/ttyS1: %s; the machine needs a second serial port for events\n",
                std::strerror(errno));
    std::fflush(stdout);
    reboot(RB_POWER_OFF);
    _exit(1);
  }
  EventStream events(port);
  emit_boot(events);
  run_plan(events, port);
  // The host ends the machine; pid 1 must not.
  for (;;) pause();
}

int usage(std::FILE* to, int status) {
  std::fputs(
      "usage: luf-guest --describe   print the catalogue of parts as JSON\n"
      "As pid 1 (the guest's /init) it runs the plan found on the plan device.\n",
      to);
  return status;
}

}  // namespace

}  // namespace luf::guest

int main(int argc, char** argv) {
  using namespace luf::guest;
  if (argc == 2 && std::strcmp(argv[1], "--describe") == 0) {
    std::fputs(describe_parts().c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 3;
  }
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) return usage(stdout, 0);
  if (getpid() == 1) be_init();
  return usage(stderr, 2);
}
