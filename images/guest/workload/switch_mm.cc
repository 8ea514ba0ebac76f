// Workload: two processes on CPU 1 hand a byte back and forth through pipes, without end. An operation is there and back: two
// system calls of each and two switches from one address space to another.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/cost_meter.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr int kBatch = 64;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe open_pipe(PartContext& context) {
  int ends[2];
  if (pipe(ends) != 0) context.fail("pipe: %s", std::strerror(errno));
  return {ends[0], ends[1]};
}

/// Gives every byte back. Ends when nobody is left who could send one.
[[noreturn]] void echo(const Pipe& there, const Pipe& back) {
  close(there.write_end);
  char byte = 0;
  while (read(there.read_end, &byte, 1) == 1 && write(back.write_end, &byte, 1) == 1) {
  }
  _exit(0);
}

void run(PartContext& context) {
  CostMeter meter(context);
  const Pipe there = open_pipe(context);
  const Pipe back = open_pipe(context);
  if (!pin_to_cpu(1)) context.fail("pin to CPU 1: %s", std::strerror(errno));
  const pid_t child = fork();
  if (child < 0) context.fail("fork: %s", std::strerror(errno));
  if (child == 0) echo(there, back);
  close(there.read_end);
  close(back.write_end);
  context.wait_for_start();
  char byte = 0;
  while (!context.stopping()) {
    meter.measure(kBatch, [&] {
      for (int round = 0; round < kBatch; ++round) {
        if (write(there.write_end, &byte, 1) != 1 || read(back.read_end, &byte, 1) != 1)
          context.fail("hand a byte over: %s", std::strerror(errno));
      }
    });
  }
  close(there.write_end);
  waitpid(child, nullptr, 0);
}

}  // namespace

extern const Part switch_mm{.kind = PartKind::workload,
                            .name = "switch_mm",
                            .summary = "two processes of one CPU hand a byte back and forth",
                            .run = run};

}  // namespace luf::guest
