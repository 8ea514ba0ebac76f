// Injector: sends the guest an interrupt that it cannot mask, between any two instructions of its kernel. Nobody has asked
// for it: the kernel says so and goes on. Seen by: what it says.
#include "base/file.h"
#include "inject/injector.h"

namespace luf::inject {
namespace {

using nlohmann::json;
constexpr std::string_view kWords = "NMI received for unknown reason";

Task<Result<std::int64_t>> received(Context& context) {
  const std::string text = read_file(context.console).value_or("");
  std::int64_t count = 0;
  for (std::size_t at = 0; (at = text.find(kWords, at)) != std::string::npos; at += kWords.size()) ++count;
  co_return count;
}

Task<Result<Effect>> disturb(Context& context) {
  const Result<std::int64_t> before = co_await received(context);
  const TimePoint deadline = context.clock.now() + context.length;
  const Result<json> sent = co_await ask(context, "inject-nmi");
  if (!sent) co_return pass_on(sent);
  const std::function<bool(const std::int64_t&)> heard = [&before](std::int64_t now) {
    return now != *before;
  };
  const Result<std::int64_t> after = co_await read_until(context, deadline, received, heard);
  co_return Effect{{{"received", *before}}, {{"received", *after}}, *after > *before};
}

}  // namespace

extern const Injector nmi{"nmi", "interrupts the guest's kernel where it cannot mask it", 1000, {}, disturb};

}  // namespace luf::inject
