#include "machine/qemu_machine.h"

#include <unistd.h>

#include <csignal>

#include "base/file.h"
#include "machine/monitor_event.h"

namespace luf::machine {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kQuitPatience{3000};
constexpr milliseconds kTermPatience{3000};
constexpr milliseconds kKillPatience{10000};
constexpr std::size_t kLastWords = 600;

/// The end of QEMU's own output, as one line.
std::string tail_of(const std::filesystem::path& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return {};
  std::string tail = text->substr(text->size() > kLastWords ? text->size() - kLastWords : 0);
  while (!tail.empty() && tail.back() == '\n') tail.pop_back();
  for (std::size_t at = tail.find('\n'); at != std::string::npos; at = tail.find('\n', at))
    tail.replace(at, 1, "; ");
  return tail;
}

}  // namespace

QemuMachine::Emulator::Emulator(QemuMachine& machine, const boost::asio::any_io_executor& executor)
    : process(executor),
      qmp(executor, machine.clock_, [this, &machine](const std::string& name, const nlohmann::json& data) {
        machine.on_event(*this, name, data);
      }) {}

QemuMachine::QemuMachine(const boost::asio::any_io_executor& executor, Clock& clock, Wake& changed,
                         QemuSetup setup)
    : clock_(clock),
      changed_(changed),
      setup_(std::move(setup)),
      executor_(executor),
      current_(emulators_.emplace_back(std::make_unique<Emulator>(*this, executor)).get()),
      tasks_(executor, clock) {}

void QemuMachine::on_event(const Emulator& from, const std::string& name, const nlohmann::json& data) {
  if (&from == current_) {
    take_monitor_event(name, data, state_);
    if (name == "MIGRATION") migration_ = data.value("status", "");
  }
  changed_.notify();
}

Task<void> QemuMachine::watch_process(Emulator& emulator) {
  co_await emulator.process.watch(changed_);
  if (&emulator != current_) co_return;
  state_.ended = true;
  state_.exit_code = emulator.process.end()->code;
  state_.exit_signal = emulator.process.end()->signal;
  state_.last_words = tail_of(setup_.output);
  changed_.notify();
}

Task<Result<void>> QemuMachine::launch(Emulator& emulator, const QemuSetup& setup, TimePoint deadline) {
  const Result<int> monitor = emulator.qmp.open();
  if (!monitor) co_return pass_on(monitor);
  const Command command{qemu_command(setup), setup.output, *monitor};
  const Result<void> started = emulator.process.start(command);
  ::close(*monitor);
  if (!started) co_return started;
  state_.log.push_back(fmt::format("started {} as process {}", setup.qemu, emulator.process.pid()));
  tasks_.start(emulator.qmp.read());
  tasks_.start(watch_process(emulator));
  co_return co_await emulator.qmp.negotiate(deadline);
}

Task<Result<void>> QemuMachine::start(TimePoint deadline) {
  Result<void> started = co_await launch(*current_, setup_, deadline);
  if (started && setup_.origin == Origin::kClone) started = co_await load_clone(deadline);
  if (started) co_return started;
  // It may have told why on its way out.
  if (current_->process.pid() > 0) co_await ended_within(milliseconds(500));
  if (state_.ended && !state_.last_words.empty())
    co_return fail(Blame::kInfra, "QEMU did not start: {}", state_.last_words);
  co_return started;
}

Task<Result<nlohmann::json>> QemuMachine::monitor(std::string command, nlohmann::json arguments,
                                                  TimePoint deadline) {
  if (state_.stop_asked) co_return fail(Blame::kInfra, "the machine is being stopped");
  co_return co_await current_->qmp.execute(std::move(command), deadline, std::move(arguments));
}

Task<Result<void>> QemuMachine::prepare_migration(TimePoint deadline) {
  using nlohmann::json;
  json capabilities = json::array();
  for (const char* name : {"x-ignore-shared", "events"})
    capabilities.push_back({{"capability", name}, {"state", true}});
  const json arguments{{"capabilities", capabilities}};
  const Result<json> set = co_await current_->qmp.execute("migrate-set-capabilities", deadline, arguments);
  if (!set) co_return pass_on(set);
  // Announcements run on a clock of the host, and cut the turns of virtual CPUs short: as few as can be.
  const json announce{
      {"announce-rounds", 1}, {"announce-initial", 1}, {"announce-max", 1}, {"announce-step", 1}};
  const Result<json> quiet = co_await current_->qmp.execute("migrate-set-parameters", deadline, announce);
  if (!quiet) co_return pass_on(quiet);
  co_return Result<void>();
}

Task<Result<void>> QemuMachine::migrated(TimePoint deadline) {
  const auto over = [this] { return migration_ == "completed" || migration_ == "failed" || state_.ended; };
  while (!over() && clock_.now() < deadline) co_await changed_.wait_until(deadline);
  if (migration_ == "completed") co_return Result<void>();
  if (!over()) co_return fail(Blame::kTimeout, "QEMU did not transfer the guest's state in time");
  co_return fail(Blame::kInfra, "QEMU could not transfer the guest's state; {}", tail_of(setup_.output));
}

Task<Result<void>> QemuMachine::load_clone(TimePoint deadline) {
  Result<void> done = co_await prepare_migration(deadline);
  if (!done) co_return done;
  const nlohmann::json from{{"uri", "file:" + setup_.state.string()}};
  const Result<nlohmann::json> begun = co_await current_->qmp.execute("migrate-incoming", deadline, from);
  if (!begun) co_return pass_on(begun);
  done = co_await migrated(deadline);
  if (!done) co_return done;
  const Result<nlohmann::json> runs = co_await current_->qmp.execute("cont", deadline);
  if (!runs) co_return pass_on(runs);
  co_return Result<void>();
}

Task<bool> QemuMachine::guest_stopped(TimePoint deadline) {
  while (!state_.guest_over && !state_.ended && clock_.now() < deadline)
    co_await changed_.wait_until(deadline);
  co_return state_.guest_over && !state_.ended;
}

Task<Result<void>> QemuMachine::save(const std::filesystem::path& file, TimePoint deadline) {
  const bool stopped = co_await guest_stopped(deadline);
  if (!stopped) co_return fail(Blame::kTimeout, "the guest did not stop as a template in time");
  Result<void> done = co_await prepare_migration(deadline);
  if (!done) co_return done;
  const nlohmann::json to{{"uri", "file:" + file.string()}};
  const Result<nlohmann::json> begun = co_await current_->qmp.execute("migrate", deadline, to);
  if (!begun) co_return pass_on(begun);
  done = co_await migrated(deadline);
  co_return done;
}

Task<std::string> QemuMachine::final_state(TimePoint deadline) {
  const bool stopped = co_await guest_stopped(deadline);
  if (!stopped) co_return std::string();
  const nlohmann::json arguments{{"command-line", "info registers -a"}};
  const Result<nlohmann::json> registers =
      co_await current_->qmp.execute("human-monitor-command", deadline, arguments);
  co_return registers && registers->is_string() ? registers->get<std::string>() : std::string();
}

Task<bool> QemuMachine::answers(TimePoint deadline) {
  const Result<nlohmann::json> answer = co_await current_->qmp.execute("query-status", deadline);
  co_return answer.has_value();
}

Task<bool> QemuMachine::ended_within(milliseconds patience) {
  const TimePoint deadline = clock_.now() + patience;
  while (!state_.ended && clock_.now() < deadline) co_await changed_.wait_until(deadline);
  co_return state_.ended;
}

Task<void> QemuMachine::stop(bool at_once) {
  state_.stop_asked = state_.stop_asked || !state_.ended;
  if (current_->process.pid() > 0 && !state_.ended && !at_once) {
    state_.log.emplace_back("asked QEMU to quit");
    const Result<nlohmann::json> answer =
        co_await current_->qmp.execute("quit", clock_.now() + kQuitPatience);
    if (!answer) state_.log.push_back(answer.error().message);
    bool gone = co_await ended_within(answer ? kQuitPatience : milliseconds(0));
    if (!gone) {
      state_.log.emplace_back("sent SIGTERM");
      current_->process.signal(SIGTERM);
      gone = co_await ended_within(kTermPatience);
    }
  }
  if (current_->process.pid() > 0 && !state_.ended) {
    state_.log.emplace_back("sent SIGKILL");
    current_->process.signal(SIGKILL);
    co_await ended_within(kKillPatience);
  }
  for (const auto& emulator : emulators_) emulator->process.signal(SIGKILL);  // of a hand-over under way
  tasks_.cancel();
  co_await tasks_.join();
}

std::string QemuMachine::command_line() const {
  std::string line;
  for (const std::string& word : qemu_command(setup_)) line += (line.empty() ? "" : " ") + shell_quote(word);
  return line;
}

}  // namespace luf::machine
