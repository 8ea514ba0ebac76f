// The promises that Linux system calls make by returning: no help of the guest is needed to know them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "change.h"

namespace luf::oracle {

/// What a thread asked the kernel for, by the x86-64 convention.
struct Syscall {
  std::uint64_t number = 0;
  std::array<std::uint64_t, 6> arguments{};
};

/// A promise about [page, page + pages) of the caller's address space.
struct PromisedRange {
  std::uint64_t page = 0;
  std::uint64_t pages = 0;
  Promise promise;
};

/// Reads a word of the caller's memory; nothing when it is not there.
using ReadWord = std::function<std::optional<std::uint64_t>(std::uint64_t address)>;

/// May this call promise anything? To be asked first, for most calls do not.
bool may_promise(const Syscall& call);

/// What the return of `call` with `result` promises.
std::vector<PromisedRange> promised(const Syscall& call, std::uint64_t result, const ReadWord& read);

}  // namespace luf::oracle
