// Injector: takes a quarter of the guest's memory back by its balloon, and gives it again: the guest must find pages that
// it can do without. Seen by: how much memory QEMU says the guest has.
#include "inject/injector.h"

namespace luf::inject {
namespace {

using nlohmann::json;
constexpr std::chrono::seconds kPatience(30);

Task<Result<std::int64_t>> memory_of(Context& context) {
  const Result<json> answer = co_await ask(context, "query-balloon");
  if (!answer) co_return pass_on(answer);
  co_return answer->value("actual", std::int64_t{0});
}

/// Asks the guest for that much memory, and returns what it has when that is reached or the time is over.
Task<Result<std::int64_t>> resize(Context& context, std::int64_t goal, Nanoseconds patience) {
  const TimePoint deadline = context.clock.now() + patience;
  const json arguments{{"value", goal}};
  const Result<json> asked = co_await ask(context, "balloon", arguments);
  if (!asked) co_return pass_on(asked);
  const std::function<bool(const std::int64_t&)> reached = [goal](std::int64_t now) { return now == goal; };
  co_return co_await read_until(context, deadline, memory_of, reached);
}

Task<Result<Effect>> disturb(Context& context) {
  const Result<std::int64_t> full = co_await memory_of(context);
  if (!full) co_return pass_on(full);
  const Result<std::int64_t> less = co_await resize(context, *full / 4 * 3, context.length);
  const Result<std::int64_t> again = co_await resize(context, *full, kPatience);
  if (!less) co_return pass_on(less);
  if (!again) co_return pass_on(again);
  if (*again != *full)
    co_return fail(Blame::kTimeout, "the guest has {} of {} bytes {} after its balloon was to deflate",
                   *again, *full, "30 s");
  co_return Effect{{{"bytes", *full}}, {{"bytes", *less}}, *less < *full};
}

}  // namespace

extern const Injector balloon{"balloon", "takes memory from the guest by its balloon, and gives it back",
                              2000, machine::Device::kBalloon, disturb};

}  // namespace luf::inject
