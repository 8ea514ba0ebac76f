#include "run/boot_time.h"

#include <algorithm>
#include <cmath>
#include <csignal>

#include "async/task_group.h"
#include "base/file.h"
#include "base/scratch.h"
#include "guest/follower.h"
#include "guest/plan_device.h"
#include "machine/process.h"
#include "machine/qemu_machine.h"
#include "protocol/bare_line.h"
#include "protocol/event.h"
#include "run/supervise.h"

namespace luf::run {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kBootPatience(5);

/// The setup with its files in `directory`, those that must exist made.
Result<machine::QemuSetup> place_files(const machine::QemuSetup& given, const fs::path& directory) {
  if (directory.empty()) {
    return fail(Blame::kInfra, "cannot make a directory in {}", fs::temp_directory_path().string());
  }
  machine::QemuSetup setup = given;
  setup.plan = directory / "plan.bin";
  setup.console = directory / "console.log";
  setup.events = directory / "events.jsonl";
  setup.output = directory / "qemu.log";
  Result<void> made = guest::write_plan_device(setup.plan, "");
  if (made) made = write_file(setup.console, "");
  if (made) made = write_file(setup.events, "");
  if (!made) return pass_on(made);
  return setup;
}

/// Follows the console until the line is there, or says why it will not come.
Task<Result<TimePoint>> await_line(const Environment& environment, guest::Follower& console,
                                   const machine::Process& process, const fs::path& output, Wake& changed,
                                   TimePoint deadline) {
  FirstByte line(protocol::kBareLine);
  while (true) {
    const bool ended = process.end().has_value();  // asked before reading: nothing is written after the end
    const Result<std::string> bytes = console.read_new();
    if (!bytes) co_return pass_on(bytes);
    line.take(*bytes, environment.clock.now());
    if (const std::optional<TimePoint> when = line.when()) co_return *when;
    if (ended)
      co_return fail(Blame::kInfra, "the bare guest's QEMU ended before its line: {}",
                     read_file(output).value_or(""));
    if (environment.interrupt.asked()) co_return fail(Blame::kCancelled, "cancelled by the user");
    if (environment.clock.now() >= deadline)
      co_return fail(Blame::kTimeout, "the bare guest did not say its line in time");
    co_await changed.wait_until(deadline);
  }
}

Task<Result<FirstEvent>> watch_first_event(const Environment& environment, const machine::QemuSetup& setup,
                                           Nanoseconds patience) {
  Wake changed(environment.executor, environment.clock);
  const Interrupt::Listener listener(environment.interrupt, changed);
  guest::Follower follower(environment.executor);
  const Result<void> opened = follower.open(setup.events);
  if (!opened) co_return pass_on(opened);
  TaskGroup tasks(environment.executor, environment.clock);
  machine::QemuMachine machine(environment.executor, environment.clock, changed, setup);
  tasks.start(follower.watch(changed));
  FirstEvent first;
  const TimePoint start = environment.clock.now();
  Watched watched{machine, follower, changed, environment.clock, environment.interrupt, {}, {}, {}, {}};
  watched.last_event = protocol::event::kBoot;
  watched.seen = [&](const guest::Event& event) {
    if (event.name == protocol::event::kBoot) first.took = environment.clock.now() - start;
  };
  const Patience each{patience, patience, patience};
  first.seen = co_await supervise(std::move(watched), each);
  tasks.cancel();
  co_await tasks.join();
  first.seen.console = read_file(setup.console).value_or("");
  if (first.seen.end == judge::RunEnd::kCancelled) co_return fail(Blame::kCancelled, "cancelled by the user");
  co_return first;
}

std::string why_no_event(const judge::Observation& seen) {
  if (seen.error) return seen.error->message;
  if (seen.end == judge::RunEnd::kNoBoot) return "it took too long";
  if (!seen.machine.last_words.empty()) return "QEMU said " + seen.machine.last_words;
  return seen.damage.value_or("it ended before");
}

/// Milliseconds of lufbed's guest.
Task<Result<double>> time_lufbed(const Environment& environment, const machine::QemuSetup& setup) {
  const Result<FirstEvent> first = co_await boot_to_first_event(environment, setup, kBootPatience);
  if (!first) co_return pass_on(first);
  if (first->seen.end != judge::RunEnd::kDone)
    co_return fail(Blame::kInfra, "no first event from lufbed's guest: {}", why_no_event(first->seen));
  co_return std::chrono::duration<double, std::milli>(first->took).count();
}

Task<Result<double>> time_bare(const Environment& environment, const machine::QemuSetup& setup) {
  const Result<Nanoseconds> took = co_await boot_to_bare_line(environment, setup, kBootPatience);
  if (!took) co_return pass_on(took);
  co_return std::chrono::duration<double, std::milli>(*took).count();
}

}  // namespace

Task<Result<FirstEvent>> boot_to_first_event(const Environment& environment, const machine::QemuSetup& given,
                                             Nanoseconds patience) {
  const Result<Scratch> scratch = Scratch::directory("lufbed-guest-");
  if (!scratch) co_return pass_on(scratch);
  const Result<machine::QemuSetup> setup = place_files(given, scratch->path());
  if (!setup) co_return pass_on(setup);
  co_return co_await watch_first_event(environment, *setup, patience);
}

Task<Result<Nanoseconds>> boot_to_bare_line(const Environment& environment, const machine::QemuSetup& given,
                                            Nanoseconds patience) {
  const Result<Scratch> scratch = Scratch::directory("lufbed-guest-");
  if (!scratch) co_return pass_on(scratch);
  const Result<machine::QemuSetup> setup = place_files(given, scratch->path());
  if (!setup) co_return pass_on(setup);
  Wake changed(environment.executor, environment.clock);
  const Interrupt::Listener listener(environment.interrupt, changed);
  guest::Follower console(environment.executor);
  const Result<void> opened = console.open(setup->console);
  if (!opened) co_return pass_on(opened);
  TaskGroup tasks(environment.executor, environment.clock);
  machine::Process process(environment.executor);
  const machine::Command command{machine::bare_command(*setup), setup->output, -1};
  const TimePoint start = environment.clock.now();
  const Result<void> started = process.start(command);
  if (!started) co_return pass_on(started);
  tasks.start(console.watch(changed));
  tasks.start(process.watch(changed));
  const Result<TimePoint> said =
      co_await await_line(environment, console, process, setup->output, changed, start + patience);
  process.signal(SIGKILL);  // nothing of this guest is kept
  tasks.cancel();
  co_await tasks.join();
  if (!said) co_return pass_on(said);
  co_return *said - start;
}

void FirstByte::take(std::string_view bytes, TimePoint now) {
  if (bytes.empty()) return;
  text_ += bytes;
  arrivals_.push_back({text_.size(), now});
}

std::optional<TimePoint> FirstByte::when() const {
  // The terminal ends a line with \r\n.
  const std::size_t at = text_.find(std::string_view(line_).substr(0, line_.find('\n')));
  if (at == std::string::npos) return std::nullopt;
  const auto holds = [at](const Arrival& arrival) { return arrival.end > at; };
  return std::find_if(arrivals_.begin(), arrivals_.end(), holds)->at;
}

Task<Result<BootTimes>> measure_boots(const Environment& environment, const machine::QemuSetup& lufbed,
                                      const machine::QemuSetup& bare, std::int64_t pairs) {
  BootTimes times;
  for (std::int64_t turn = 0; turn < 2 * pairs; ++turn) {
    const bool is_lufbed = turn % 4 == 0 || turn % 4 == 3;
    Result<double> took;
    if (is_lufbed) {
      took = co_await time_lufbed(environment, lufbed);
    } else {
      took = co_await time_bare(environment, bare);
    }
    if (!took) co_return pass_on(took);
    (is_lufbed ? times.lufbed : times.bare).push_back(*took);
    environment.progress.say(
        fmt::format("{}/{} {} {:.0f} ms", turn / 2 + 1, pairs, is_lufbed ? "lufbed" : "bare", *took));
  }
  co_return times;
}

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&values](double share) {
    const double position = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], position - std::floor(position));
  };
  return {values.front(), at(0.25), at(0.5), at(0.75), values.back()};
}

}  // namespace luf::run
