#include "kernel_hooks.h"

namespace luf::oracle {
namespace {

constexpr std::uint8_t kRet = 0xc3;
constexpr std::uint64_t kVmemmap = 0xffffea0000000000;
constexpr std::uint64_t kVmemmapFiveLevels = 0xffd4000000000000;
constexpr std::uint64_t kPageStructBytes = 64;

/// A flush point of the series (enum luf_point, include/linux/luf.h) that is asked with the bytes of a file changed.
struct FilePoint {
  unsigned number;
  unsigned rule;
  const char* what;
};
constexpr std::array<FilePoint, 4> kFilePoints{{
    {7, 5, "the flush point alias_write had been passed"},
    {9, 3, "the flush point file_write had been passed"},
    {11, 4, "the flush point truncate had been passed"},
    {12, 4, "the flush point invalidate had been passed"},
}};

}  // namespace

KernelHooks::KernelHooks(Oracle& oracle, const Symbols& kernel) : oracle_(oracle) {
  add(kernel, "luf_hold", Function::kHold);
  sees_deferrals_ = !ranges_.empty();
  add(kernel, "__luf_flush_mapping", Function::kFlushMapping);
}

void KernelHooks::add(const Symbols& kernel, const char* name, Function function) {
  const auto symbol = kernel.find(name);
  if (!symbol || symbol->size == 0) return;
  ranges_.push_back({symbol->address, symbol->address + symbol->size, {function, true}, {function, false}});
}

const KernelHooks::Point* KernelHooks::at(std::uint64_t address, std::uint8_t code) const {
  for (const Range& range : ranges_) {
    if (address == range.begin) return &range.entry;
    if (address > range.begin && address < range.end && code == kRet) return &range.exit;
  }
  return nullptr;
}

void KernelHooks::run(Vcpu& vcpu, Registers& registers, const Point& point) {
  const std::uint64_t stack = registers.read(Register::kRsp);
  if (point.entry) {
    const Call call{point.function, registers.read(Register::kRdi),
                    registers.read(Register::kRsi) & 0xffffffff, oracle_.changes_so_far()};
    const std::lock_guard<std::mutex> guard(lock_);
    calls_[stack] = call;
    return;
  }
  Call call;
  {
    const std::lock_guard<std::mutex> guard(lock_);
    const auto found = calls_.find(stack);
    if (found == calls_.end()) return;
    call = found->second;
    calls_.erase(found);
  }
  if (call.function == Function::kHold) {
    const std::uint64_t base = vcpu.paging.five_levels ? kVmemmapFiveLevels : kVmemmap;
    // False: it is flushed by now.
    if ((registers.read(Register::kRax) & 0xff) != 0)
      oracle_.deferred((call.argument - base) / kPageStructBytes);
    return;
  }
  for (const FilePoint& file_point : kFilePoints) {
    if (file_point.number != call.point) continue;
    Promise promise;
    promise.rule = file_point.rule;
    promise.forbids = kAnyAccess;
    promise.what = file_point.what;
    promise.vcpu = vcpu.index;
    oracle_.promise_file(call.argument, promise, call.changes_before);
  }
}

}  // namespace luf::oracle
