// From evidence to a class: pure, and the only place that decides (docs/contract.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "change.h"

namespace luf::oracle {

enum class Class : std::uint8_t { kWindow = 0, kDeferred = 1, kViolation = 2, kUnknown = 3 };
inline constexpr unsigned kClasses = 4;
const char* to_string(Class cls);

/// What is known about one stale access.
struct Evidence {
  std::uint8_t access = kLoad;
  const Change* change = nullptr;     ///< why the translation is not true; null: nobody saw it change
  std::optional<bool> bytes_changed;  ///< of the frame, since the change; nothing: cannot be told
  Owner owner_now;
  bool under_way =
      false;  ///< with no `change`: another CPU is between its store to the entry and the oracle's notice
};

struct Judgement {
  Class cls = Class::kUnknown;
  unsigned rule = 0;        ///< that is broken; 0: none
  const char* reason = "";  ///< a clause
};

/// The frame lost its owner: freed, or taken out of the page cache. False when that is not known.
bool ownerless(const Owner& then, const Owner& now);
/// It is in use by somebody else, which it cannot be without having been freed. `held`: the LUF series has held it, and
/// writes over the index of what it holds.
bool has_new_owner(const Owner& then, const Owner& now, bool held);

Judgement classify(const Evidence& evidence);

}  // namespace luf::oracle
