// Live migration from one QEMU of ours to the next: the part of QemuMachine that does it.
#include <csignal>

#include "base/scratch.h"
#include "machine/qemu_machine.h"

namespace luf::machine {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kPoll{20};
/// A loaded guest under emulation makes pages dirty faster than the default pace copies them.
constexpr std::int64_t kBandwidth = std::int64_t{4} << 30U;
constexpr std::int64_t kDowntimeMs = 2000;

}  // namespace

Task<Result<json>> QemuMachine::transferred(Emulator& from, TimePoint deadline) {
  Wake pause(executor_, clock_);
  while (clock_.now() < deadline) {
    const Result<json> state = co_await from.qmp.execute("query-migrate", deadline);
    if (!state) co_return pass_on(state);
    const std::string status = state->value("status", "none");
    if (status == "completed") co_return *state;
    if (status == "failed" || status == "cancelled")
      co_return fail(Blame::kInfra, "QEMU could not hand the guest over ({}): {}", status,
                     state->value("error-desc", "no reason given"));
    co_await pause.wait_until(clock_.now() + kPoll);
  }
  const Result<json> cancelled =
      co_await from.qmp.execute("migrate_cancel", clock_.now() + std::chrono::seconds(5));
  co_return fail(Blame::kTimeout, "QEMU did not hand the guest over in time{}",
                 cancelled ? "; it goes on where it was" : "");
}

Task<Result<json>> QemuMachine::transfer(Emulator& from, Emulator& to, const std::string& socket,
                                         TimePoint deadline) {
  const json uri{{"uri", "unix:" + socket}};
  const json pace{{"max-bandwidth", kBandwidth}, {"downtime-limit", kDowntimeMs}};
  const Result<json> listening = co_await to.qmp.execute("migrate-incoming", deadline, uri);
  if (!listening) co_return pass_on(listening);
  const Result<json> paced = co_await from.qmp.execute("migrate-set-parameters", deadline, pace);
  if (!paced) co_return pass_on(paced);
  const Result<json> begun = co_await from.qmp.execute("migrate", deadline, uri);
  if (!begun) co_return pass_on(begun);
  co_return co_await transferred(from, deadline);
}

Task<Result<json>> QemuMachine::hand_over(TimePoint deadline) {
  if (state_.stop_asked || state_.ended) co_return fail(Blame::kInfra, "the machine has ended");
  // A socket's name must be short, which that of a run directory may not be.
  const Result<Scratch> place = Scratch::directory("lufbed-move-");
  if (!place) co_return pass_on(place);
  Emulator& from = *current_;
  Emulator& to = *emulators_.emplace_back(std::make_unique<Emulator>(*this, executor_));
  QemuSetup setup = setup_;
  setup.origin = Origin::kHandedOver;
  Result<json> done = json::object();
  if (const Result<void> launched = co_await launch(to, setup, deadline); !launched) {
    done = pass_on(launched);
  } else {
    done = co_await transfer(from, to, place->path() / "socket", deadline);
  }
  Emulator& loser = done ? from : to;
  if (done) {
    current_ = &to;
    state_.stopped = false;
    state_.log.push_back(
        fmt::format("process {} handed the guest over to process {}", from.process.pid(), to.process.pid()));
  }
  loser.process.signal(SIGKILL);
  co_return done;
}

}  // namespace luf::machine
