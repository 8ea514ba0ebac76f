#include "syscalls.h"

#include "guest_memory.h"

namespace luf::oracle {
namespace {

constexpr std::uint64_t kMmap = 9;
constexpr std::uint64_t kMprotect = 10;
constexpr std::uint64_t kMunmap = 11;
constexpr std::uint64_t kIoctl = 16;
constexpr std::uint64_t kMremap = 25;
constexpr std::uint64_t kMadvise = 28;
constexpr std::uint64_t kPkeyMprotect = 329;

constexpr std::uint64_t kMapFixed = 0x10;
constexpr std::uint64_t kProtRead = 1;
constexpr std::uint64_t kProtWrite = 2;
constexpr std::uint64_t kProtExec = 4;
constexpr std::uint64_t kDontNeed = 4;
constexpr std::uint64_t kRemove = 9;
constexpr std::uint64_t kDontNeedLocked = 24;

// ioctl numbers of userfaultfd: direction and size above, 0xaa and the number below.
constexpr std::uint64_t kUffdCopy = 0xc028aa03;
constexpr std::uint64_t kUffdZeropage = 0xc020aa04;
constexpr std::uint64_t kUffdMove = 0xc028aa05;
constexpr std::uint64_t kUffdWriteProtect = 0xc018aa06;

PromisedRange range(std::uint64_t address, std::uint64_t length, unsigned rule, std::uint8_t forbids,
                    bool at_once, const char* what) {
  PromisedRange promised;
  promised.page = address >> kPageShift;
  promised.pages = (length + (address % kPageBytes) + kPageBytes - 1) >> kPageShift;
  promised.promise.rule = rule;
  promised.promise.forbids = forbids;
  promised.promise.at_once = at_once;
  promised.promise.what = what;
  return promised;
}

std::uint8_t forbidden_by(std::uint64_t protection) {
  // x86 without protection keys: what may be written or executed may be read.
  if ((protection & (kProtRead | kProtWrite | kProtExec)) == 0) return kAnyAccess;
  return static_cast<std::uint8_t>(((protection & kProtWrite) != 0 ? 0 : kStore) |
                                   ((protection & kProtExec) != 0 ? 0 : kFetch));
}

std::vector<PromisedRange> promised_by_uffd(const Syscall& call, const ReadWord& read) {
  const std::uint64_t at = call.arguments[2];
  const std::optional<std::uint64_t> first = read(at);
  const std::optional<std::uint64_t> second = read(at + 8);
  const std::optional<std::uint64_t> third = read(at + 16);
  if (!first || !second || !third) return {};
  switch (call.arguments[1]) {
    case kUffdCopy:
      return {range(*first, *third, 9, kAnyAccess, false, "UFFDIO_COPY had returned")};
    case kUffdMove:
      return {range(*first, *third, 9, kAnyAccess, false, "UFFDIO_MOVE had returned"),
              range(*second, *third, 9, kAnyAccess, false, "UFFDIO_MOVE from there had returned")};
    case kUffdZeropage:
      return {range(*first, *second, 9, kAnyAccess, false, "UFFDIO_ZEROPAGE had returned")};
    case kUffdWriteProtect:
      if ((*third & 1) == 0) return {};
      return {range(*first, *second, 2, kStore, true, "UFFDIO_WRITEPROTECT had returned")};
    default:
      return {};
  }
}

std::vector<PromisedRange> promised_by_mremap(const Syscall& call, std::uint64_t result) {
  const auto& [old, old_length, new_length, flags, to, unused] = call.arguments;
  if (result != old)
    return {range(old, old_length, 1, kAnyAccess, true, "mremap() away from there had returned")};
  if (new_length >= old_length) return {};
  return {range(old + new_length, old_length - new_length, 1, kAnyAccess, true,
                "a shrinking mremap() had returned")};
}

}  // namespace

bool may_promise(const Syscall& call) {
  const auto& arguments = call.arguments;
  switch (call.number) {
    case kMunmap:
    case kMremap:
      return true;
    case kMprotect:
    case kPkeyMprotect:
      return forbidden_by(arguments[2]) != 0;
    case kMmap:
      return (arguments[3] & kMapFixed) != 0;
    case kMadvise:
      return arguments[2] == kDontNeed || arguments[2] == kRemove || arguments[2] == kDontNeedLocked;
    case kIoctl:
      return arguments[1] == kUffdCopy || arguments[1] == kUffdZeropage || arguments[1] == kUffdMove ||
             arguments[1] == kUffdWriteProtect;
    default:
      return false;
  }
}

std::vector<PromisedRange> promised(const Syscall& call, std::uint64_t result, const ReadWord& read) {
  const auto& arguments = call.arguments;
  const bool failed = static_cast<std::int64_t>(result) < 0 && static_cast<std::int64_t>(result) >= -4095;
  if (failed || !may_promise(call)) return {};
  switch (call.number) {
    case kMunmap:
      return {range(arguments[0], arguments[1], 1, kAnyAccess, true, "munmap() had returned")};
    case kMmap:
      return {range(arguments[0], arguments[1], 1, kAnyAccess, true, "mmap(MAP_FIXED) over it had returned")};
    case kMremap:
      return promised_by_mremap(call, result);
    case kMprotect:
    case kPkeyMprotect:
      return {
          range(arguments[0], arguments[1], 2, forbidden_by(arguments[2]), true, "mprotect() had returned")};
    case kMadvise:
      return {range(arguments[0], arguments[1], arguments[2] == kRemove ? 4 : 1, kAnyAccess, true,
                    arguments[2] == kRemove ? "MADV_REMOVE had returned" : "MADV_DONTNEED had returned")};
    case kIoctl:
      return promised_by_uffd(call, read);
    default:
      return {};
  }
}

}  // namespace luf::oracle
