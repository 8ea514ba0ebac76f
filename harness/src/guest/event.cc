#include "guest/event.h"

#include <fmt/format.h>

namespace luf::guest {

std::string Event::text(const char* key) const {
  const auto member = body.find(key);
  return member != body.end() && member->is_string() ? member->get<std::string>() : std::string();
}

std::uint64_t Event::number(const char* key) const {
  const auto member = body.find(key);
  return member != body.end() && member->is_number() ? member->get<std::uint64_t>() : 0;
}

std::optional<Event> EventParser::parse_line(std::string_view line) {
  nlohmann::json body = nlohmann::json::parse(line, nullptr, false);
  if (!body.is_object() || !body.contains("seq") || !body.at("seq").is_number_unsigned() ||
      !body.contains("ev") || !body.at("ev").is_string()) {
    damage_ = fmt::format("the line after event {} is torn: \"{}\"", next_seq_, line.substr(0, 60));
    return std::nullopt;
  }
  Event event;
  event.seq = body.at("seq").get<std::uint64_t>();
  event.name = body.at("ev").get<std::string>();
  event.body = std::move(body);
  event.t_ns = event.number("t_ns");
  if (event.seq != next_seq_) {
    damage_ = fmt::format("event {} came where event {} was due", event.seq, next_seq_);
    return std::nullopt;
  }
  ++next_seq_;
  return event;
}

std::vector<Event> EventParser::feed(std::string_view bytes) {
  std::vector<Event> events;
  rest_.append(bytes);
  std::size_t begin = 0;
  for (std::size_t end = rest_.find('\n'); end != std::string::npos && !damage_;
       end = rest_.find('\n', begin)) {
    std::string_view line(rest_.data() + begin, end - begin);
    begin = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);  // the tty adds it unless it is raw
    if (line.empty()) continue;
    if (std::optional<Event> event = parse_line(line)) events.push_back(*std::move(event));
  }
  rest_.erase(0, begin);
  return events;
}

void EventParser::finish() {
  if (!rest_.empty() && !damage_) {
    damage_ = fmt::format("the last line, after event {}, is torn: \"{}\"", next_seq_, rest_.substr(0, 60));
  }
}

}  // namespace luf::guest
