// Injector: sends the guest an interrupt that it cannot mask, between any two instructions of its kernel. Nobody has asked
// for it: the kernel says so and goes on. Seen by: what it says.
#include "base/file.h"
#include "inject/injector.h"

namespace luf::inject {
namespace {

using nlohmann::json;
constexpr std::string_view kWords = "NMI received for unknown reason";
constexpr std::chrono::milliseconds kPoll(20);

std::int64_t received(const std::filesystem::path& console) {
  const std::string text = read_file(console).value_or("");
  std::int64_t count = 0;
  for (std::size_t at = 0; (at = text.find(kWords, at)) != std::string::npos; at += kWords.size()) ++count;
  return count;
}

Task<Result<Effect>> disturb(Context& context) {
  const std::int64_t before = received(context.console);
  const TimePoint deadline = context.clock.now() + context.length;
  const Result<json> sent = co_await ask(context, "inject-nmi");
  if (!sent) co_return pass_on(sent);
  std::int64_t after = received(context.console);
  while (after == before && context.clock.now() < deadline) {
    co_await pause_for(context, kPoll);
    after = received(context.console);
  }
  co_return Effect{{{"received", before}}, {{"received", after}}, after > before};
}

}  // namespace

extern const Injector nmi{"nmi", "interrupts the guest's kernel where it cannot mask it", 1000, {}, disturb};

}  // namespace luf::inject
