// What the guest says, as it arrives.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace luf::guest {

/// One line of the event stream (docs/guest-protocol.md).
struct Event {
  std::uint64_t seq = 0;
  std::uint64_t t_ns = 0;  ///< guest CLOCK_MONOTONIC
  std::string name;        ///< the key `ev`: one of protocol::event
  nlohmann::json body;     ///< the whole object

  /// A member of the body, or a default when it is absent or of another type.
  std::string text(const char* key) const;
  std::uint64_t number(const char* key) const;
};

/// Turns bytes into events and notices when some are missing. Thread: one.
class EventParser {
 public:
  /// Takes the next bytes of the stream; returns the events completed by them. After damage, returns nothing
  /// more.
  std::vector<Event> feed(std::string_view bytes);

  /// Says that no more bytes will come: a line without its end counts as damage from then on.
  void finish();

  /// What is wrong with the stream, one sentence, or nothing.
  const std::optional<std::string>& damage() const { return damage_; }

 private:
  std::optional<Event> parse_line(std::string_view line);
  std::string rest_;
  std::uint64_t next_seq_ = 0;
  std::optional<std::string> damage_;
};

}  // namespace luf::guest
