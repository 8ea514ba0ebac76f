// The guest's disk as QEMU counts what is done with it (machine::Device::kDisk).
#pragma once

#include "inject/injector.h"

namespace luf::inject {

struct DiskCounts {
  std::int64_t operations = 0;  ///< reads, writes and flushes that are over
  std::int64_t time_ns = 0;     ///< that they took together
  std::int64_t failed = 0;      ///< reads that failed
  nlohmann::json json() const;
};

/// Errors: infra, also when there is no such disk; timeout.
Task<Result<DiskCounts>> disk_counts(Context& context);

}  // namespace luf::inject
