#include "finding.h"

#include <algorithm>

namespace luf::oracle {

Finding* Findings::find(std::uint64_t fingerprint) {
  const auto found = std::find_if(
      all_.begin(), all_.end(),
      [fingerprint](const std::unique_ptr<Finding>& finding) { return finding->fingerprint == fingerprint; });
  return found != all_.end() ? found->get() : nullptr;
}

Finding* Findings::add(std::unique_ptr<Finding> finding) {
  if (all_.size() == kMost) {
    ++overflow_;
    return nullptr;
  }
  all_.push_back(std::move(finding));
  return all_.back().get();
}

std::uint64_t fingerprint(const Judgement& judgement, int phase, std::uint8_t access, std::uint64_t pc,
                          const Change& change) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3 + (hash >> 29U); };
  for (const char* letter = judgement.reason; *letter != '\0'; ++letter)
    mix(static_cast<std::uint64_t>(*letter));
  for (const std::uint64_t value :
       {std::uint64_t{judgement.rule}, static_cast<std::uint64_t>(phase), std::uint64_t{access}, pc,
        change.actor.pc, static_cast<std::uint64_t>(change.kind)})
    mix(value);
  return hash;
}

}  // namespace luf::oracle
