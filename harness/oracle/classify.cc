#include "classify.h"

namespace luf::oracle {

const char* to_string(Class cls) {
  switch (cls) {
    case Class::kWindow:
      return "window";
    case Class::kDeferred:
      return "deferred";
    case Class::kViolation:
      return "violation";
    case Class::kUnknown:
      return "unknown";
  }
  return "unknown";
}

bool ownerless(const Owner& then, const Owner& now) {
  // A frame that never had a mapping (zero page, vdso, a driver's) cannot be seen to lose it.
  return then.known && then.mapping != 0 && (now.references == 0 || now.mapping == 0);
}

namespace {

constexpr bool is_anonymous(std::uint64_t mapping) { return (mapping & 3) == 1; }

}  // namespace

bool has_new_owner(const Owner& then, const Owner& now, bool held) {
  if (!then.known || then.mapping == 0 || now.mapping == 0 || now.references <= 0) return false;
  // Anonymous memory can change its mapping without being freed: fork, UFFDIO_MOVE.
  if (now.mapping != then.mapping) return !is_anonymous(then.mapping) || !is_anonymous(now.mapping);
  return now.index != then.index && !is_anonymous(then.mapping) && !held;
}

namespace {

/// The promise that this access breaks, if one does.
const Promise* broken(const Change& change, std::uint8_t access) {
  if (change.strong.rule != 0 && (change.strong.forbids & access) != 0) return &change.strong;
  // The others do not bind while the batch of an unmapper may be in flight; once it is known to have gone on they do.
  if (change.weak.rule != 0 && change.deferred && (change.weak.forbids & access) != 0) return &change.weak;
  return nullptr;
}

/// What became of a frame that its entry no longer names.
std::optional<Judgement> judge_frame(const Evidence& evidence, const Change& change) {
  const bool gone = ownerless(change.owner, evidence.owner_now);
  const bool went_on = gone || change.deferred;
  const bool changed = evidence.bytes_changed.value_or(false);
  if (evidence.access == kStore && went_on)
    return Judgement{Class::kViolation, 7, "a store into a frame that its unmapper was done with"};
  if (change.stored_stale && changed && went_on)
    return Judgement{Class::kViolation, 7, "a store through the same entry had gone there"};
  if (has_new_owner(change.owner, evidence.owner_now, change.deferred))
    return Judgement{Class::kViolation, 8, "the frame has a new owner"};
  if (change.stored_ownerless)
    return Judgement{Class::kViolation, 8, "somebody stored to the frame after it was freed"};
  if (changed && went_on)
    return Judgement{Class::kViolation, 8, "the bytes of a frame without an owner changed"};
  return std::nullopt;
}

/// Why the frame does not decide, or nothing.
const char* undecided(const Evidence& evidence, const Change& change) {
  const Owner& now = evidence.owner_now;
  const bool same = now.mapping == change.owner.mapping && now.index == change.owner.index;
  if (!evidence.bytes_changed && (change.deferred || ownerless(change.owner, now)))
    return "the frame's earlier content was not kept";
  if (!evidence.bytes_changed.value_or(false)) return nullptr;
  if (!change.owner.known || change.owner.mapping == 0)
    return "the frame's bytes changed, and whose it is cannot be told";
  return same ? nullptr : "the frame's bytes changed, and so did its owner, perhaps without its being freed";
}

}  // namespace

Judgement classify(const Evidence& evidence) {
  if (evidence.change == nullptr)
    return evidence.under_way ? Judgement{Class::kWindow, 0, "the entry is being changed at this moment"}
                              : Judgement{Class::kUnknown, 0, "nobody was seen to change the entry"};
  const Change& change = *evidence.change;
  const bool names_another = change.kind != ChangeKind::kRestricted;
  if (names_another) {
    if (const std::optional<Judgement> judgement = judge_frame(evidence, change)) return *judgement;
  }
  if (const Promise* promise = broken(change, evidence.access))
    return {Class::kViolation, promise->rule, promise->what};
  const char* why = names_another ? undecided(evidence, change) : nullptr;
  if (why != nullptr) return {Class::kUnknown, 0, why};
  if (change.deferred) return {Class::kDeferred, 0, "the unmapper left out its flush"};
  return {Class::kWindow, 0, "the unmapper may still be about to flush"};
}

}  // namespace luf::oracle
