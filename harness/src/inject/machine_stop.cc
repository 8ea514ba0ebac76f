// Injector: stops all virtual CPUs for a while, as a host does that pauses a guest. Guest time stands still, but a clock
// that the guest reads from outside jumps. Seen by: QEMU's own state while it stands.
#include "inject/injector.h"

namespace luf::inject {
namespace {

using nlohmann::json;

Task<Result<Effect>> disturb(Context& context) {
  const Result<json> before = co_await ask(context, "query-status");
  if (!before) co_return pass_on(before);
  const Result<json> stopped = co_await ask(context, "stop");
  const Result<json> during = co_await ask(context, "query-status");
  co_await pause_for(context, context.length);
  const Result<json> going = co_await ask(context, "cont");
  if (!stopped) co_return pass_on(stopped);
  if (!going) co_return pass_on(going);
  if (!during) co_return pass_on(during);
  const auto status = [](const json& answer) { return json{{"status", answer.value("status", "unknown")}}; };
  co_return Effect{status(*before), status(*during), !during->value("running", true)};
}

}  // namespace

extern const Injector machine_stop{"machine_stop", "stops all virtual CPUs for a while", 200, {}, disturb};

}  // namespace luf::inject
