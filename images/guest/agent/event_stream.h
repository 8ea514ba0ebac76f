// The event stream: whole JSON lines with a sequence number without a gap (docs/guest-protocol.md).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace luf::guest {

using Json = nlohmann::ordered_json;

/// One line, with its newline: seq, t_ns and ev, then the members of `fields`.
std::string format_event(std::uint64_t seq, std::uint64_t t_ns, std::string_view ev, const Json& fields);

/// CLOCK_MONOTONIC in nanoseconds.
std::uint64_t monotonic_ns();

/// Writes events to a descriptor, each with write() until all of it is out. Thread: one.
class EventStream {
 public:
  /// `fd` stays the caller's.
  explicit EventStream(int fd) : fd_(fd) {}

  void emit(std::string_view ev, const Json& fields = Json::object());
  /// Writes a line that was formatted elsewhere with next_seq(). For the first event, before JSON is touched.
  void emit_text(std::string_view line);
  std::uint64_t next_seq() const { return seq_; }

 private:
  int fd_;
  std::uint64_t seq_ = 0;
};

}  // namespace luf::guest
