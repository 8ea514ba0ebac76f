#include "agent/event_stream.h"

#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace luf::guest {

std::string format_event(std::uint64_t seq, std::uint64_t t_ns, std::string_view ev, const Json& fields) {
  Json event;
  event["seq"] = seq;
  event["t_ns"] = t_ns;
  event["ev"] = ev;
  event.update(fields);
  // Text from the kernel or a part may hold any bytes: replaced, never thrown over.
  return event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void EventStream::emit(std::string_view ev, const Json& fields) {
  emit_text(format_event(seq_, monotonic_ns(), ev, fields));
}

void EventStream::emit_text(std::string_view line) {
  ++seq_;
  while (!line.empty()) {
    const ssize_t written = write(fd_, line.data(), line.size());
    if (written < 0 && errno != EINTR && errno != EAGAIN) return;  // the host sees the gap
    if (written > 0) line.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace luf::guest
