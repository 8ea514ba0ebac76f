#include "strategy.h"

namespace luf::steer {
namespace {

/// A turn ends after a random number of instructions; the mean is drawn once.
class RandomTurns : public Strategy {
 public:
  explicit RandomTurns(const Choice& choice)
      : random_(choice.seed), mean_(random_.magnitude(7, 15)), left_(random_.below(2 * mean_)) {}

  bool yields(const Step& step, std::uint64_t) override {
    if (step.instructions < left_) {
      left_ -= step.instructions;
      return false;
    }
    left_ = random_.below(2 * mean_);
    return true;
  }

 private:
  Random random_;
  std::uint64_t mean_;
  std::uint64_t left_;
};

/// Whether one CPU alone has been making steps: the others sleep, and to keep it off would only take host time.
class Alone {
 public:
  bool is(unsigned cpu) {
    steps_ = cpu == cpu_ ? steps_ + 1 : 0;
    cpu_ = cpu;
    return steps_ > kSteps;
  }

 private:
  static constexpr unsigned kSteps = 16;
  unsigned cpu_ = kMaxCpus;
  unsigned steps_ = 0;
};

/// Keeps CPUs off, each until an instant, or until nobody else runs.
class Stalls {
 public:
  void stall(unsigned cpu, std::uint64_t now, std::uint64_t length) { until_[cpu] = now + length; }
  bool stalled(unsigned cpu, std::uint64_t now) const { return until_[cpu] > now; }
  /// To be asked once a step.
  bool keeps_off(unsigned cpu, std::uint64_t now) {
    if (alone_.is(cpu)) until_[cpu] = 0;
    return stalled(cpu, now);
  }

 private:
  Alone alone_;
  std::array<std::uint64_t, kMaxCpus> until_{};
};

constexpr unsigned kShortestStall = 9;  // 2^n instructions
constexpr unsigned kLongestStall = 18;

/// At each point a CPU is kept off with a probability, for a random time. One of 1/2 ... 1/128, drawn once.
class RandomStalls : public Strategy {
 public:
  explicit RandomStalls(const Choice& choice) : random_(choice.seed), one_in_(random_.magnitude(1, 7)) {}

  bool yields(const Step& step, std::uint64_t now) override {
    if (step.at_point && !stalls_.stalled(step.cpu, now) && random_.below(one_in_) == 0)
      stalls_.stall(step.cpu, now, random_.magnitude(kShortestStall, kLongestStall));
    return stalls_.keeps_off(step.cpu, now);
  }

 private:
  Random random_;
  std::uint64_t one_in_;
  Stalls stalls_;
};

/// Delay-bounded: exactly `depth` stalls, at points drawn evenly from all that are expected.
class BoundedDelays : public Strategy {
 public:
  explicit BoundedDelays(const Choice& choice) : random_(choice.seed) {
    for (unsigned i = 0; i < choice.depth; ++i) at_.push_back(random_.below(choice.steps));
    std::sort(at_.begin(), at_.end());
  }

  bool yields(const Step& step, std::uint64_t now) override {
    if (step.at_point) {
      for (; next_ < at_.size() && at_[next_] == seen_; ++next_)
        stalls_.stall(step.cpu, now, random_.magnitude(kShortestStall, kLongestStall));
      ++seen_;
    }
    return stalls_.keeps_off(step.cpu, now);
  }

 private:
  Random random_;
  std::vector<std::uint64_t> at_;
  std::size_t next_ = 0;
  std::uint64_t seen_ = 0;
  Stalls stalls_;
};

/// PCT (Burckhardt et al., ASPLOS 2010): the CPU of the highest priority runs; at `depth` - 1 points, drawn evenly, the one
/// that is there falls below all others. A bug that needs `depth` orderings is met with a probability of at least
/// 1 / (cpus * steps^(depth - 1)), as long as nobody has to be kept off for longer than kPatience. Spinning and sleeping
/// CPUs do not count as able to run.
class Pct : public Strategy {
 public:
  explicit Pct(const Choice& choice) : random_(choice.seed), cpus_(choice.cpus) {
    for (unsigned cpu = 0; cpu < cpus_; ++cpu) priority_[cpu] = static_cast<int>(cpu) + 1;
    for (unsigned left = cpus_; left > 1; --left)
      std::swap(priority_[left - 1], priority_[random_.below(left)]);
    for (unsigned i = 1; i < choice.depth; ++i) at_.push_back(random_.below(choice.steps));
    std::sort(at_.begin(), at_.end());
  }

  bool yields(const Step& step, std::uint64_t now) override {
    last_seen_[step.cpu] = now;
    if (step.at_point) {
      for (; next_ < at_.size() && at_[next_] == seen_; ++next_) priority_[step.cpu] = --lowest_;
      ++seen_;
    }
    waits_until_[step.cpu] = step.spins ? now + kSpin : 0;
    const bool alone = alone_.is(step.cpu);
    if (step.spins || alone || first(step.cpu, now)) {
      ran_[step.cpu] = now;
      return false;
    }
    if (now - ran_[step.cpu] < kPatience) return true;
    // Kept off for too long: a turn, so that time and the kernel's own deadlines go on.
    if (now - ran_[step.cpu] >= kPatience + kGrace) ran_[step.cpu] = now;
    return false;
  }

 private:
  static constexpr std::uint64_t kSpin = 2000;
  static constexpr std::uint64_t kPatience = 1U << 17U;
  static constexpr std::uint64_t kGrace = 1U << 12U;
  static constexpr std::uint64_t kAway = 1U << 16U;  // not seen for this long: asleep

  bool first(unsigned self, std::uint64_t now) const {
    for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
      const bool able = waits_until_[cpu] <= now && now - last_seen_[cpu] < kAway;
      if (able && priority_[cpu] > priority_[self]) return false;
    }
    return true;
  }

  Random random_;
  Alone alone_;
  unsigned cpus_;
  std::array<int, kMaxCpus> priority_{};
  int lowest_ = 0;
  std::vector<std::uint64_t> at_;
  std::size_t next_ = 0;
  std::uint64_t seen_ = 0;
  std::array<std::uint64_t, kMaxCpus> waits_until_{};
  std::array<std::uint64_t, kMaxCpus> last_seen_{};
  std::array<std::uint64_t, kMaxCpus> ran_{};
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const std::string& name, const Choice& choice) {
  if (name == "turns") return std::make_unique<RandomTurns>(choice);
  if (name == "stall") return std::make_unique<RandomStalls>(choice);
  if (name == "bounded") return std::make_unique<BoundedDelays>(choice);
  if (name == "pct") return std::make_unique<Pct>(choice);
  return nullptr;
}

}  // namespace luf::steer
