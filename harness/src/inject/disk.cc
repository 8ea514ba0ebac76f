#include "inject/disk.h"

namespace luf::inject {

using nlohmann::json;

json DiskCounts::json() const {
  return {{"operations", operations}, {"time_ns", time_ns}, {"failed_reads", failed}};
}

Task<Result<DiskCounts>> disk_counts(Context& context) {
  const Result<json> answer = co_await ask(context, "query-blockstats");
  if (!answer) co_return pass_on(answer);
  for (const json& disk : *answer) {
    if (disk.value("node-name", "") != "disk") continue;
    const json stats = disk.value("stats", json::object());
    DiskCounts counts;
    for (const char* kind : {"rd", "wr", "flush"}) {
      counts.operations += stats.value(std::string(kind) + "_operations", std::int64_t{0});
      counts.time_ns += stats.value(std::string(kind) + "_total_time_ns", std::int64_t{0});
    }
    counts.failed = stats.value("failed_rd_operations", std::int64_t{0});
    co_return counts;
  }
  co_return fail(Blame::kInfra, "QEMU knows no disk of the guest's");
}

}  // namespace luf::inject
