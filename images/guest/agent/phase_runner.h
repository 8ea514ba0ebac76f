// Runs one phase of a plan: starts its parts together, tells what they leave in shared memory, stops them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "agent/event_stream.h"
#include "agent/kernel_files.h"
#include "agent/plan.h"
#include "agent/ram_disk.h"
#include "agent/swap_space.h"
#include "lib/part_context.h"

namespace luf::guest {

class PhaseRunner {
 public:
  /// `plan` outlives the runner; it is asked for what holds for all phases.
  PhaseRunner(EventStream& events, const Topology& topology, RamDisk& disk, SwapSpace& swap, const Plan& plan)
      : events_(events), topology_(topology), disk_(disk), swap_(swap), plan_(plan) {}

  /// Blocks for the phase's guest time. All outcomes are events.
  void run(const Phase& phase);

 private:
  struct Running {
    const Part* part;
    const PlannedPart* planned;
    unsigned slot;
    pid_t pid = 0;
    bool ended = false;
    std::uint32_t findings_told = 0;
  };

  bool apply_settings();
  void choose_parts();
  std::string why_not(const Part& part, const PlannedPart& planned);
  void start(Running& running);
  [[noreturn]] void run_part(const Running& running);
  void wait_until_ready();
  void watch();
  void stop();
  void reap();
  void end_part(Running& running, int status);
  void tell_findings(Running& running);
  void tell_progress();
  std::uint64_t tell_kernel_findings();
  void tell_taint();
  void tell_end(const Counters& before);
  bool all_ended() const;
  std::uint64_t sum_loads() const;
  std::uint64_t sum_findings() const;
  std::uint64_t elapsed_ms() const { return (monotonic_ns() - started_ns_) / 1'000'000; }
  Json fields() const { return Json{{"phase", phase_->name}}; }
  Json fields(const Running& running) const {
    return Json{{"phase", phase_->name}, {"part", running.planned->id}};
  }

  EventStream& events_;
  Topology topology_;
  RamDisk& disk_;
  SwapSpace& swap_;
  const Plan& plan_;

  // Of the phase that runs.
  const Phase* phase_ = nullptr;
  std::uint64_t phases_begun_ = 0;
  SharedArea* area_ = nullptr;
  std::vector<Running> parts_;
  std::uint64_t started_ns_ = 0;
  std::uint64_t ended_ns_ = 0;
  std::uint64_t deferred_before_ = 0;
  std::uint64_t taint_before_ = 0;
};

}  // namespace luf::guest
