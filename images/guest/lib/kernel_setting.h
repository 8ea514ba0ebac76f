// A file of the kernel's that an injector sets for a while.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "agent/kernel_files.h"
#include "lib/part_context.h"

namespace luf::guest {

/// What stands in a file of the kernel's, or what it marks as chosen among all that may: "always [madvise] never".
inline std::string chosen_of(const std::string& text) {
  const std::size_t begin = text.find('[');
  const std::size_t end = text.find(']');
  return begin < end && end != std::string::npos ? text.substr(begin + 1, end - begin - 1) : text;
}

/// While it lives `value` stands in the file; then what stood there before does again. Fails the part when the kernel
/// does not take the value.
class KernelSetting {
 public:
  KernelSetting(PartContext& context, std::string path, std::string_view value)
      : path_(std::move(path)), before_(chosen_of(read_text(path_))) {
    const std::string problem = write_text(path_, value);
    if (!problem.empty()) context.fail("%s", problem.c_str());
  }
  ~KernelSetting() { write_text(path_, before_); }
  KernelSetting(const KernelSetting&) = delete;
  KernelSetting& operator=(const KernelSetting&) = delete;

 private:
  std::string path_;
  std::string before_;
};

}  // namespace luf::guest
