// Where the bytes of an event stream come from.
#pragma once

#include <string>

#include "base/result.h"

namespace luf::guest {

/// A stream that grows. Thread: the io_context's.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The bytes that came since the last call; empty when none. Does not wait. Errors: infra.
  virtual Result<std::string> read_new() = 0;
};

}  // namespace luf::guest
