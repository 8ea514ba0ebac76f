// What a kernel with the LUF series tells by calling its own functions. Found by symbol; a kernel without them tells nothing.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "oracle.h"
#include "registers.h"
#include "symbols.h"

namespace luf::oracle {

class KernelHooks {
 public:
  enum class Function : std::uint8_t { kHold, kFlushMapping };
  /// An instruction at which a function begins or ends.
  struct Point {
    Function function = Function::kHold;
    bool entry = true;
  };
  KernelHooks(Oracle& oracle, const Symbols& kernel);

  /// What to do before the instruction at `address`, whose first byte is `code`; null: nothing. Thread: any.
  const Point* at(std::uint64_t address, std::uint8_t code) const;

  /// The instruction is about to run. Thread: the vCPU's.
  void run(Vcpu& vcpu, Registers& registers, const Point& point);

  bool sees_deferrals() const { return sees_deferrals_; }

 private:
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    Point entry;
    Point exit;
  };
  struct Call {
    Function function = Function::kHold;
    std::uint64_t argument = 0;
    std::uint64_t point = 0;
    std::uint64_t changes_before = 0;
  };
  void add(const Symbols& kernel, const char* name, Function function);
  Oracle& oracle_;
  std::vector<Range> ranges_;
  bool sees_deferrals_ = false;
  std::mutex lock_;                                ///< guards the calls
  std::unordered_map<std::uint64_t, Call> calls_;  ///< under way, by the stack pointer at entry
};

}  // namespace luf::oracle
