// Injector: makes the guest's disk slow: QEMU lets ten operations a second pass. Who reads what was reclaimed waits, and
// write-back takes long. Seen by: how long an operation took on the average, which must be 20 ms.
#include "inject/disk.h"

namespace luf::inject {
namespace {

using nlohmann::json;
constexpr std::int64_t kSlow = 10;
constexpr std::int64_t kMeanNs = 20'000'000;

Task<Result<json>> throttle(Context& context, std::int64_t operations) {
  const json limits{{"id", "/machine/peripheral/disk0/virtio-backend"},
                    {"bps", 0},
                    {"bps_rd", 0},
                    {"bps_wr", 0},
                    {"iops", operations},
                    {"iops_rd", 0},
                    {"iops_wr", 0}};
  co_return co_await ask(context, "block_set_io_throttle", limits);
}

Task<Result<Effect>> disturb(Context& context) {
  const Result<DiskCounts> before = co_await disk_counts(context);
  if (!before) co_return pass_on(before);
  const Result<json> slow = co_await throttle(context, kSlow);
  if (!slow) co_return pass_on(slow);
  co_await pause_for(context, context.length);
  // Before it is over: those that it holds back then pass at once.
  const Result<DiskCounts> after = co_await disk_counts(context);
  const Result<json> fast = co_await throttle(context, 0);
  if (!after) co_return pass_on(after);
  if (!fast) co_return pass_on(fast);
  const std::int64_t operations = after->operations - before->operations;
  const bool seen = operations > 0 && (after->time_ns - before->time_ns) / operations >= kMeanNs;
  co_return Effect{before->json(), after->json(), seen};
}

}  // namespace

extern const Injector disk_slow{"disk_slow", "makes the guest's disk slow for a while", 1000,
                                machine::Device::kDisk, disturb};

}  // namespace luf::inject
