// Detector of any rule that a stale TLB entry breaks: the kernel's own checks (CONFIG_LUF_CHECK). They ask each CPU's
// record of the TLB generation that it has caught up to, not what LUF believes, and need no reader that happens to
// load at the right moment.
//
//   act       whatever the other parts do
//   promise   a flush point was passed, or a frame went back to the allocator
//   observe   the kernel counts CPUs that are behind with an entry deferred before that (debugfs luf/check)
//
// Proof: the count grows. The rule is that of the flush point; of a frame that goes back R8, of bytes that changed while
// it was held R7, of a page table slot that becomes writable R6. `loads` are the entries looked at. Cannot see: a
// promise at which the kernel has no flush point at all, and what a CPU does between two moments at which the kernel
// looks.
#include <array>
#include <cstdio>
#include <string>

#include "agent/kernel_files.h"
#include "lib/params.h"
#include "lib/part_context.h"
#include "protocol/contract.h"

namespace luf::guest {

namespace {

constexpr const char* kFile = "/sys/kernel/debug/luf/check";
constexpr std::uint64_t kPeriodNs = 5'000'000;
constexpr std::array<std::string_view, 9> kRules{"R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9"};

constexpr std::array<std::string_view, 2> kOf{"everything", "frames"};
constexpr std::array<Param, 1> kParams{{
    choice_param("of", kOf,
                 "what is looked at; frames: those freed (R8) and no promise, for a fault of any flush"),
}};

void tell(PartContext& context, std::string_view rule, const std::string& what, std::uint64_t count) {
  char detail[256];
  std::snprintf(detail, sizeof(detail), "The kernel found %llu times that %s.",
                static_cast<unsigned long long>(count), what.c_str());
  Evidence evidence;
  evidence.number("count", count);
  context.report(rule, detail, evidence);
}

void tell_all(PartContext& context, const Counters& moved, bool frames_alone) {
  const auto count = [&moved](const std::string& name) {
    const auto found = moved.find("luf_check_" + name);
    return found == moved.end() ? 0 : found->second;
  };
  if (const auto n = count("reuse")) tell(context, "R8", "a frame was freed while a CPU could reach it", n);
  if (frames_alone) return;
  if (const auto n = count("content")) tell(context, "R7", "the bytes of a held frame had changed", n);
  if (const auto n = count("refill"))
    tell(context, "R6", "a slot became writable while a CPU could use its old entry", n);
  for (const protocol::FlushPoint& point : protocol::kFlushPoints) {
    const std::string name(point.name);
    if (const auto n = count("promise_" + name))
      tell(context, point.rules, "flush point " + name + " was passed while a CPU could use an old entry", n);
  }
}

void run(PartContext& context) {
  const bool frames_alone = context.choice("of") == "frames";
  if (const std::string problem = write_text(kFile, "1"); !problem.empty())
    context.fail("switch the kernel's checks on: %s", problem.c_str());
  if (!pin_to_cpu(context.worker_cpu(0))) context.fail("pin to a CPU");
  context.wait_for_start();
  Counters before = parse_counters(read_text(kFile));
  while (!context.stopping()) {
    sleep_ns(kPeriodNs);
    Counters now = parse_counters(read_text(kFile));
    const Counters moved = increase(before, now);
    if (const auto checked = moved.find("luf_checked"); checked != moved.end())
      context.loads().fetch_add(checked->second, std::memory_order_relaxed);
    tell_all(context, moved, frames_alone);
    before = std::move(now);
  }
}

}  // namespace

extern const Part tlb_check{.kind = PartKind::detector,
                            .name = "tlb_check",
                            .summary = "the kernel's own checks of which CPU may still use a deferred entry",
                            .rules = kRules,
                            .params = kParams,
                            .needs_file = kFile,
                            .run = run};

}  // namespace luf::guest
