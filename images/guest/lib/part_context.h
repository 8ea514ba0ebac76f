// What a running part is given: its parameters, its place on the CPUs, and how to tell the agent what it saw.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/evidence.h"
#include "lib/part.h"
#include "lib/shared_area.h"

namespace luf::guest {

/// Numbers and choices of one part in the plan, by name.
struct ParamValues {
  std::map<std::string, std::uint64_t, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> texts;
};

/// The machine as parts see it. CPUs in the upper half belong to readers, which spin; those in the lower half
/// to writers, injectors and churn, which unmap and reuse. A reader's CPU then keeps one address space.
struct Topology {
  unsigned cpus = 1;
  unsigned nodes = 1;
  unsigned reader_cpus() const { return cpus < 2 ? 1 : cpus / 2; }
  unsigned worker_cpus() const { return cpus < 2 ? 1 : cpus - reader_cpus(); }
};

class PartContext {
 public:
  PartContext(std::string id, unsigned index, const ParamValues& values, const Topology& topology,
              std::uint64_t seed, SharedArea& area);

  /// The value of a parameter. A missing one ends the part with an error.
  std::uint64_t number(std::string_view name);
  std::string choice(std::string_view name);
  std::string text(std::string_view name) { return choice(name); }

  const std::string& id() const { return id_; }
  unsigned index() const { return index_; }
  const Topology& topology() const { return topology_; }
  std::uint64_t seed() const { return seed_; }
  /// File id of the self-describing data that this part writes.
  std::uint64_t owner() const { return owner_; }

  /// The n-th CPU for readers of this part, from the highest downwards; parts start at different ones.
  unsigned reader_cpu(unsigned n) const;
  /// The n-th CPU for everything else, from the lowest upwards.
  unsigned worker_cpu(unsigned n) const;

  /// Counter `name` of part_end. Call before forking; the reference lives as long as the part.
  std::atomic<std::uint64_t>& metric(const char* name);
  /// How many more metrics there can be.
  std::size_t metrics_left() const { return kMaxMetrics - slot_.metric_count; }
  std::atomic<std::uint64_t>& loads() { return slot_.loads; }
  std::atomic<std::uint64_t>& tick() { return slot_.tick; }
  SharedArea& area() { return area_; }

  /// Tells injectors that they may unmap or move this memory of process `pid`.
  void add_target(pid_t pid, void* address, std::uint64_t length);

  /// Forks a process of this part, pinned to `cpu`; it runs `body` and exits. It dies with the part.
  pid_t fork_pinned(unsigned cpu, const std::function<void()>& body);

  /// Says that the set-up is over and blocks until the phase starts (or stops).
  void wait_for_start();
  /// For readers: spins without a system call until the phase starts.
  void spin_for_start() const;
  bool stopping() const { return area_.stop.load(std::memory_order_relaxed) != 0; }

  /// Ticks and watches the forked processes until the phase stops, then reaps them. One that died is an
  /// error.
  void supervise();

  /// Tells a finding. Evidence may be long; it is kept for the first kFindingsKept only.
  void report(std::string_view rule, std::string_view detail, const Evidence& evidence);

  /// Ends this process of the part with an error that reaches the host. The first one told wins.
  [[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 2, 3)));

 private:
  bool reap(bool block);

  std::string id_;
  unsigned index_;
  std::uint64_t owner_;
  const ParamValues& values_;
  Topology topology_;
  std::uint64_t seed_;
  SharedArea& area_;
  PartSlot& slot_;
  std::vector<pid_t> children_;
};

/// Pins the calling thread. Returns false on failure (errno tells).
bool pin_to_cpu(unsigned cpu);
/// Sleeps that long (guest time).
void sleep_ns(std::uint64_t ns);

/// Sleeps between looks at what another CPU is doing: the longer it was waited for already, the longer. A fixed short
/// sleep would take the whole CPU from its other tasks where a wake-up takes longer than the sleep, as with icount.
class Backoff {
 public:
  void pause() {
    const std::uint64_t ns = std::clamp(waited_ns_ / 4, kShortestNs, kLongestNs);
    sleep_ns(ns);
    waited_ns_ += ns;
  }

 private:
  static constexpr std::uint64_t kShortestNs = 20'000;
  static constexpr std::uint64_t kLongestNs = 1'000'000;
  std::uint64_t waited_ns_ = 0;
};

}  // namespace luf::guest
