// Injector: hands the running guest over to a second QEMU on this host, by live migration. Its memory is copied while it
// runs; its translations are all gone afterwards. Seen by: the downtime and the bytes that QEMU reports.
#include "inject/injector.h"

namespace luf::inject {
namespace {

using nlohmann::json;

Task<Result<Effect>> disturb(Context& context) {
  const Result<json> moved = co_await context.machine.hand_over(context.clock.now() + context.length);
  if (!moved) co_return pass_on(moved);
  const json ram = moved->value("ram", json::object());
  Effect effect;
  effect.before = {{"transferred_bytes", 0}};
  effect.after = {{"transferred_bytes", ram.value("transferred", 0)},
                  {"rounds", ram.value("dirty-sync-count", 0)},
                  {"downtime_ms", moved->value("downtime", 0)},
                  {"total_ms", moved->value("total-time", 0)}};
  effect.seen = ram.value("transferred", 0) > 0;
  co_return effect;
}

}  // namespace

extern const Injector machine_migrate{
    "machine_migrate", "migrates the running guest to a second QEMU here", 60000, {}, disturb};

}  // namespace luf::inject
