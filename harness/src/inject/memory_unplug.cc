// Injector: unplugs the memory that the guest has beside that of its nodes (virtio-mem), and plugs it in again: the guest
// migrates what is in there. Seen by: how much of it QEMU says is plugged.
#include "inject/injector.h"

namespace luf::inject {
namespace {

using nlohmann::json;
constexpr const char* kPath = "/machine/peripheral/hot0";
constexpr std::uint64_t kAll = machine::kHotMemoryMebibytes << 20U;

Task<Result<std::uint64_t>> plugged(Context& context) {
  const json arguments{{"path", kPath}, {"property", "size"}};
  const Result<json> answer = co_await ask(context, "qom-get", arguments);
  if (!answer) co_return pass_on(answer);
  co_return answer->is_number() ? answer->get<std::uint64_t>() : 0;
}

/// Asks the guest for that size, and returns what is plugged when it is reached or the time is over.
Task<Result<std::uint64_t>> resize(Context& context, std::uint64_t goal) {
  const TimePoint deadline = context.clock.now() + context.length;
  const json arguments{{"path", kPath}, {"property", "requested-size"}, {"value", goal}};
  const Result<json> asked = co_await ask(context, "qom-set", arguments);
  if (!asked) co_return pass_on(asked);
  const std::function<bool(const std::uint64_t&)> reached = [goal](std::uint64_t now) { return now == goal; };
  co_return co_await read_until(context, deadline, plugged, reached);
}

Task<Result<Effect>> disturb(Context& context) {
  // At the first time the guest may not have plugged it in yet.
  const Result<std::uint64_t> before = co_await resize(context, kAll);
  if (!before) co_return pass_on(before);
  const Result<std::uint64_t> less = co_await resize(context, 0);
  const Result<std::uint64_t> again = co_await resize(context, kAll);
  if (!less) co_return pass_on(less);
  if (!again) co_return pass_on(again);
  co_return Effect{{{"bytes", *before}}, {{"bytes", *less}}, *less < *before};
}

}  // namespace

extern const Injector memory_unplug{"memory_unplug", "unplugs memory of the guest and plugs it in again",
                                    6000, machine::Device::kHotMemory, disturb};

}  // namespace luf::inject
