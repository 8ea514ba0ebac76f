// The evidence of a finding: a flat JSON object built in a fixed buffer, so that a reader allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "lib/page_pattern.h"

namespace luf::guest {

class Evidence {
 public:
  /// What does not fit any more is left out.
  void number(const char* name, std::uint64_t value) {
    put("%s\"%s\":%llu", separator(), name, static_cast<unsigned long long>(value));
  }
  /// `value` must need no escapes in JSON.
  void text(const char* name, std::string_view value) {
    put("%s\"%s\":\"%.*s\"", separator(), name, static_cast<int>(value.size()), value.data());
  }
  /// The eight words of a line, in hexadecimal.
  void line(const char* name, const Line& value) {
    const auto* w = reinterpret_cast<const std::uint64_t*>(&value);
    put("%s\"%s\":[\"%llx\",\"%llx\",\"%llx\",\"%llx\",\"%llx\",\"%llx\",\"%llx\",\"%llx\"]", separator(),
        name, wide(w[0]), wide(w[1]), wide(w[2]), wide(w[3]), wide(w[4]), wide(w[5]), wide(w[6]), wide(w[7]));
  }
  /// The members, without the braces.
  std::string_view members() const { return {text_, used_}; }

 private:
  static unsigned long long wide(std::uint64_t value) { return value; }
  const char* separator() const { return used_ == 0 ? "" : ","; }

  template <typename... Values>
  void put(const char* format, Values... values) {
    const int written = std::snprintf(text_ + used_, sizeof(text_) - used_, format, values...);
    if (written > 0 && used_ + static_cast<std::size_t>(written) < sizeof(text_))
      used_ += static_cast<std::size_t>(written);
  }

  char text_[1000] = {};
  std::size_t used_ = 0;
};

}  // namespace luf::guest
