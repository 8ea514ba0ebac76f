// Injector: takes the machine's memory until the kernel itself reclaims, on its own behalf (kswapd) and on ours, from
// everybody; holds it for `length`, gives the last part of it back, and begins again. Effect: pages that the kernel
// stole meanwhile, from whomever.
// It stops above the watermark at which processes are killed, and would be the first to go. Runs on CPU 0, outside the
// parts' cgroup.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "lib/page_pattern.h"
#include "lib/params.h"
#include "lib/unmappers.h"
#include "lib/vmstat.h"

namespace luf::guest {

namespace {

constexpr std::array<Param, 3> kParams{{
    duration_param("period", 50'000'000, 10'000, "pause between two rounds"),
    duration_param("length", 50'000'000, 10'000, "for which the memory is held"),
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 64,
     .min = 1,
     .max = 1U << 18U,
     .summary = "a round ends when the kernel has stolen that many, or can steal no more"},
}};

constexpr std::uint64_t kChunk = 256U << 10U;
constexpr std::uint64_t kGivenBack = 16U << 20U;
constexpr std::uint64_t kRestNs = 1'000'000;

std::uint64_t stolen() { return vmstat_sum({"pgsteal_kswapd", "pgsteal_direct"}); }
std::uint64_t scanned() { return vmstat_sum({"pgscan_kswapd", "pgscan_direct"}); }

std::uint64_t memory_bytes(const char* name) { return sum_of_lines("/proc/meminfo", {name}) << 10U; }

/// Below it allocations wait for memory that nobody may have.
std::uint64_t least_free() {
  const std::uint64_t kib = std::strtoull(read_text("/proc/sys/vm/min_free_kbytes").c_str(), nullptr, 10);
  return (kib << 10U) / 8 * 9;
}

class Hog {
 public:
  Hog(PartContext& context, std::uint64_t size) : context_(context), size_(size / kChunk * kChunk) {
    void* at =
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
    madvise(at, size_, MADV_NOHUGEPAGE);
    bytes_ = static_cast<volatile char*>(at);
  }

  /// Returns the pages that the kernel stole for it.
  std::uint64_t take(std::uint64_t pages) {
    const std::uint64_t before = stolen();
    std::uint64_t effect = 0;
    while (effect < pages && taken_ + kChunk <= size_ && !context_.stopping() &&
           memory_bytes("MemFree:") > least_) {
      const Unmapping unmapping(context_.area(), context_.index());
      for (std::uint64_t page = 0; page < kChunk; page += kPageSize) bytes_[taken_ + page] = 1;
      taken_ += kChunk;
      await_kswapd();
      effect = stolen() - before;
    }
    return effect;
  }

  void give_back() {
    const std::uint64_t length = std::min(kGivenBack, taken_);
    taken_ -= length;
    madvise(const_cast<char*>(bytes_) + taken_, length, MADV_DONTNEED);
  }

 private:
  /// What it has unmapped it has then flushed, or put off.
  void await_kswapd() {
    for (std::uint64_t seen = 0, now = scanned(); seen != now && !context_.stopping(); now = scanned()) {
      seen = now;
      sleep_ns(kRestNs);
    }
  }

  PartContext& context_;
  std::uint64_t size_;
  std::uint64_t least_ = least_free();
  std::uint64_t taken_ = 0;
  volatile char* bytes_ = nullptr;
};

void run(PartContext& context) {
  const std::uint64_t period = context.number("period");
  const std::uint64_t length = context.number("length");
  const std::uint64_t pages = context.number("pages");
  auto& rounds = context.metric("rounds");
  auto& effects = context.metric("effects");
  write_text("/proc/self/oom_score_adj", "1000");
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU: %s", std::strerror(errno));
  Hog hog(context, memory_bytes("MemTotal:"));
  context.wait_for_start();
  while (!context.stopping()) {
    effects.fetch_add(hog.take(pages));
    rounds.fetch_add(1);
    sleep_ns(length);
    hog.give_back();
    sleep_ns(period);
  }
}

}  // namespace

extern const Part memory_hog{.kind = PartKind::injector,
                             .name = "memory_hog",
                             .summary = "takes the machine's memory until the kernel reclaims",
                             .params = kParams,
                             .run = run};

}  // namespace luf::guest
