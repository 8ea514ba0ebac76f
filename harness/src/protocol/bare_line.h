// What the bare guest of `lufbed bench boot` says: shared by images/bare and the host.
#pragma once

namespace luf::protocol {

inline constexpr char kBareLine[] = "luf-bare: here\n";

}  // namespace luf::protocol
