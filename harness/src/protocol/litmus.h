// Litmus tests (docs/litmus.md): what two to four processors do to a few pages. litmus_parse.h reads the language.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace luf::protocol {

inline constexpr std::string_view kLitmusPages = "xyz";  ///< names of pages, each of a file of its own
inline constexpr std::string_view kLitmusFlags = "fgh";  ///< of flags in shared memory
inline constexpr std::string_view kLitmusRegisters = "abcde";
inline constexpr std::size_t kLitmusProcessors = 4;

enum class LitmusAct {
  load,        ///< a = x
  load_flag,   ///< a = f   (acquire)
  store,       ///< x = 1   through a writable shared mapping of the processor's own
  store_flag,  ///< f = 1   (release)
  await,       ///< await f
  await_page,  ///< await x
  write,       ///< write x 1       pwrite of the page
  copy,        ///< copy x 1        a store to a private mapping, which copies the page
  unmap,       ///< unmap x
  forbid,      ///< forbid x        mprotect(PROT_NONE)
  truncate,    ///< truncate x
  drop,        ///< drop x          MADV_DONTNEED
  move,        ///< move x          mremap to another address
  poke,        ///< a = poke x 1    a store through the mapping that loads go through; F: it faulted
  sync,        ///< sync x          fdatasync
  disk,        ///< a = disk x      O_DIRECT read
  pause,       ///< pause 50        microseconds
  migrate,     ///< migrate x       to the next node
  reclaim,     ///< reclaim         memory.reclaim of all pages
};

struct LitmusStep {
  LitmusAct act;
  std::size_t page = 0;  ///< indices into the names above
  std::size_t flag = 0;
  std::size_t into = 0;
  std::uint64_t value = 0;
};

struct LitmusProgram {
  std::vector<std::vector<LitmusStep>> processors;
  std::size_t pages = 0;        ///< the first so many of kLitmusPages are used
  std::vector<bool> registers;  ///< that some step loads into, by index
  std::vector<bool> changed;    ///< pages that some step writes to, by index
  std::size_t unmaps = 0;       ///< steps that reclaim or migrate
};

/// What a register may hold besides the number that a page or a flag had.
inline constexpr std::uint64_t kLitmusFault = ~std::uint64_t{0};   ///< printed F
inline constexpr std::uint64_t kLitmusForeign = kLitmusFault - 1;  ///< printed X: somebody else's bytes
inline constexpr std::uint64_t kLitmusZeros = kLitmusFault - 2;    ///< printed Z

}  // namespace luf::protocol
