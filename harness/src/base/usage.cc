#include "base/usage.h"

#include <sys/resource.h>

namespace luf {
namespace {

rusage usage_of(int whose) {
  rusage usage{};
  ::getrusage(whose, &usage);  // fails for a wrong `whose` only
  return usage;
}

double cpu_seconds(int whose) {
  const rusage usage = usage_of(whose);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

}  // namespace

double own_cpu_seconds() { return cpu_seconds(RUSAGE_SELF); }
double child_cpu_seconds() { return cpu_seconds(RUSAGE_CHILDREN); }
std::uint64_t peak_memory() { return static_cast<std::uint64_t>(usage_of(RUSAGE_SELF).ru_maxrss) * 1024; }

}  // namespace luf
