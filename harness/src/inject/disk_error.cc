// Injector: lets one read of the guest's disk fail, by a node that QEMU puts beneath it (blkdebug). The guest's kernel says
// so on its console, and reads again: a program that reads its memory must not notice. Seen by: reads that failed.
#include "inject/disk.h"

namespace luf::inject {
namespace {

using nlohmann::json;
constexpr int kInputOutputError = 5;

/// Puts this node under the disk.
Task<Result<json>> put_beneath(Context& context, const char* node) {
  const json disk{{"driver", "raw"}, {"node-name", "disk"}, {"file", node}};
  const json arguments{{"options", json::array({disk})}};
  co_return co_await ask(context, "blockdev-reopen", arguments);
}

Task<Result<json>> add_failing_node(Context& context) {
  const json rule{{"event", "none"},
                  {"iotype", "read"},
                  {"errno", kInputOutputError},
                  {"once", true},
                  {"immediately", false}};
  const json node{{"driver", "blkdebug"},
                  {"node-name", "disk-bad"},
                  {"image", "disk-file"},
                  {"inject-error", json::array({rule})}};
  co_return co_await ask(context, "blockdev-add", node);
}

Task<Result<Effect>> disturb(Context& context) {
  const Result<DiskCounts> before = co_await disk_counts(context);
  if (!before) co_return pass_on(before);
  const Result<json> added = co_await add_failing_node(context);
  if (!added) co_return pass_on(added);
  const Result<json> bad = co_await put_beneath(context, "disk-bad");
  const std::function<bool(const DiskCounts&)> failed = [&before](const DiskCounts& now) {
    return now.failed != before->failed;
  };
  Result<DiskCounts> after = *before;
  if (bad) after = co_await read_until(context, context.clock.now() + context.length, disk_counts, failed);
  const Result<json> good = co_await put_beneath(context, "disk-file");
  const json name{{"node-name", "disk-bad"}};
  const Result<json> removed = co_await ask(context, "blockdev-del", name);
  if (!bad) co_return pass_on(bad);
  if (!after) co_return pass_on(after);
  if (!good) co_return pass_on(good);
  if (!removed) co_return pass_on(removed);
  co_return Effect{before->json(), after->json(), after->failed > before->failed};
}

}  // namespace

extern const Injector disk_error{"disk_error", "lets a read of the guest's disk fail", 1000,
                                 machine::Device::kDisk, disturb};

}  // namespace luf::inject
