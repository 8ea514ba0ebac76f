// Who runs next: decisions drawn from a seed, at the scheduling points that luf-steer shows it. Pure: no QEMU here.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace luf::steer {

constexpr unsigned kMaxCpus = 16;

/// SplitMix64: short, and equal everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  /// A power of two times a number below two: each magnitude from 2^low to 2^high is as likely.
  std::uint64_t magnitude(unsigned low, unsigned high) {
    const std::uint64_t base = std::uint64_t{1} << (low + below(high - low));
    return base + below(base);
  }

 private:
  std::uint64_t state_;
};

/// What a virtual CPU is about to do: a block of instructions without a branch.
struct Step {
  unsigned cpu = 0;
  std::uint64_t instructions = 0;
  bool at_point = false;  ///< it begins with one of the chosen places in the kernel
  bool spins = false;     ///< it has PAUSE or HLT: this CPU waits for another
};

struct Choice {
  std::uint64_t seed = 1;
  unsigned cpus = 1;
  unsigned depth = 2;             ///< of pct and bounded
  std::uint64_t steps = 1000000;  ///< how many a run is expected to have; of pct and bounded
};

/// Told of every step, in the order of execution.
class Strategy {
 public:
  virtual ~Strategy() = default;
  /// True when the CPU must give up its turn after this step. `now`: instructions before it, of all CPUs.
  virtual bool yields(const Step& step, std::uint64_t now) = 0;
};

/// By name: "turns" (of random length), "pct", "bounded" (delay-bounded), "stall"; null for another name.
std::unique_ptr<Strategy> make_strategy(const std::string& name, const Choice& choice);

}  // namespace luf::steer
