// How a guest program tells the oracle (harness/oracle) of its promise points: one store each. Without the oracle it is a
// store to a page of the program's own.
//
//   writer   kMark m                      what is false of a page table by now, is so before the act
//            act: a write, an ioctl, a store
//            tells the reader
//   reader   kPromise m, page             has learnt that the act is over: what was false at m may be used no more
//
// Entries that stop being true after the mark are not meant: they may lead to the new bytes. Rule R7 is of stores, so a
// promise under it forbids no load.
#pragma once

#include <cstdint>

namespace luf::protocol {

/// The page that every program that rings maps there: private, anonymous, writable.
inline constexpr std::uint64_t kDoorbellAddress = 0x4c5546000000;  // "LUF"

/// Marks a program can tell apart.
inline constexpr unsigned kMarks = 1U << 12U;

/// What an 8-byte store to it says.
enum class Ring : std::uint8_t {
  kMark = 1,  ///< mark `mark` is now
  kPromise =
      2,  ///< `page` of this address space: entries that were false at `mark` may be used no more, unless the
          ///< batch of an unmapper is in flight
  kSettled = 3,  ///< the same, and no such batch is
  kPhase = 4,    ///< phase number `page` begins
};

struct RingWord {
  bool valid = false;
  Ring ring = Ring::kMark;
  unsigned rule = 0;       ///< N of RN
  unsigned mark = 0;       ///< below kMarks
  std::uint64_t page = 0;  ///< virtual
};

/// bits 0-35 page, 36-47 mark, 48-51 rule, 52-55 ring, 56-63 0xbe
constexpr std::uint64_t doorbell_word(Ring ring, unsigned rule, unsigned mark, std::uint64_t page) {
  return std::uint64_t{0xbe} << 56U | std::uint64_t{static_cast<std::uint8_t>(ring)} << 52U |
         std::uint64_t{rule & 15U} << 48U | std::uint64_t{mark % kMarks} << 36U | (page & 0xfffffffffU);
}

constexpr RingWord read_doorbell(std::uint64_t word) {
  return {word >> 56U == 0xbe, static_cast<Ring>(word >> 52U & 15U), static_cast<unsigned>(word >> 48U & 15U),
          static_cast<unsigned>(word >> 36U & (kMarks - 1)), word & 0xfffffffffU};
}

}  // namespace luf::protocol
