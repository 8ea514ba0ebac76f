// The names of events (docs/guest-protocol.md): shared by host and guest.
#pragma once

#include <string_view>

namespace luf::protocol::event {

inline constexpr std::string_view kBoot = "boot";
inline constexpr std::string_view kReady = "ready";
inline constexpr std::string_view kPlan = "plan";
inline constexpr std::string_view kPhaseStart = "phase_start";
inline constexpr std::string_view kSkip = "skip";
inline constexpr std::string_view kPartStart = "part_start";
inline constexpr std::string_view kFinding = "finding";
inline constexpr std::string_view kProgress = "progress";
inline constexpr std::string_view kPartEnd = "part_end";
inline constexpr std::string_view kPhaseEnd = "phase_end";
inline constexpr std::string_view kError = "error";
inline constexpr std::string_view kDone = "done";

}  // namespace luf::protocol::event
