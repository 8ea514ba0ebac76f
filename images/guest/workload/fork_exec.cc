// Workload: forks, executes a small program in the child and waits for it, without end, on CPU 1. An operation is one
// fork + exec + exit + wait.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/cost_meter.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

void fork_exec_once(PartContext& context) {
  const pid_t child = fork();
  if (child < 0) context.fail("fork: %s", std::strerror(errno));
  if (child == 0) {
    // The guest's only program, which then prints its usage and ends.
    execl("/proc/self/exe", "luf-guest", "--help", nullptr);
    _exit(127);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0)
    context.fail("the program that was executed ended with status %d", status);
}

void run(PartContext& context) {
  CostMeter meter(context);
  const int null = open("/dev/null", O_WRONLY);
  if (null < 0 || dup2(null, STDOUT_FILENO) < 0) context.fail("open /dev/null: %s", std::strerror(errno));
  close(null);
  if (!pin_to_cpu(1)) context.fail("pin to CPU 1: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) meter.measure(1, [&] { fork_exec_once(context); });
}

}  // namespace

extern const Part fork_exec{.kind = PartKind::workload,
                            .name = "fork_exec",
                            .summary = "forks and executes a small program, again and again",
                            .run = run};

}  // namespace luf::guest
