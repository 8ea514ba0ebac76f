#include "machine/qemu_machine.h"

#include <unistd.h>

#include <csignal>

#include "base/file.h"

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

QemuMachine::QemuMachine(const boost::asio::any_io_executor& executor, Clock& clock, Wake& changed,
                         QemuSetup setup)
    : clock_(clock),
      changed_(changed),
      setup_(std::move(setup)),
      process_(executor),
      qmp_(executor, clock, changed,
           [this](const std::string& name, const nlohmann::json& data) { on_event(name, data); }),
      tasks_(executor, clock) {}

void QemuMachine::on_event(const std::string& name, const nlohmann::json& data) {
  if (name == "GUEST_PANICKED") state_.guest_panicked = true;
  if (name == "SHUTDOWN" && data.value("guest", false))
    state_.shutdown_reason = data.value("reason", "unknown");
}

Task<void> QemuMachine::watch_process() {
  co_await process_.watch(changed_);
  state_.ended = true;
  state_.exit_code = process_.end()->code;
  state_.exit_signal = process_.end()->signal;
  state_.last_words = tail_of(setup_.output);
  changed_.notify();
}

Task<Result<void>> QemuMachine::start(TimePoint deadline) {
  const Result<int> monitor = qmp_.open();
  if (!monitor) co_return pass_on(monitor);
  const Command command{qemu_command(setup_), setup_.output, *monitor};
  const Result<void> started = process_.start(command);
  ::close(*monitor);
  if (!started) co_return started;
  state_.log.push_back(fmt::format("started {} as process {}", setup_.qemu, process_.pid()));
  tasks_.start(qmp_.read());
  tasks_.start(watch_process());
  const Result<void> negotiated = co_await qmp_.negotiate(deadline);
  if (negotiated) co_return negotiated;
  // It may have told why on its way out.
  co_await ended_within(milliseconds(500));
  if (state_.ended && !state_.last_words.empty())
    co_return fail(Blame::kInfra, "QEMU did not start: {}", state_.last_words);
  co_return negotiated;
}

Task<bool> QemuMachine::answers(TimePoint deadline) {
  const Result<nlohmann::json> answer = co_await qmp_.execute("query-status", deadline);
  co_return answer.has_value();
}

Task<bool> QemuMachine::ended_within(milliseconds patience) {
  const TimePoint deadline = clock_.now() + patience;
  while (!state_.ended && clock_.now() < deadline) co_await changed_.wait_until(deadline);
  co_return state_.ended;
}

Task<void> QemuMachine::stop(bool at_once) {
  state_.stop_asked = state_.stop_asked || !state_.ended;
  if (process_.pid() > 0 && !state_.ended && !at_once) {
    state_.log.emplace_back("asked QEMU to quit");
    const Result<nlohmann::json> answer = co_await qmp_.execute("quit", clock_.now() + kQuitPatience);
    if (!answer) state_.log.push_back(answer.error().message);
    bool gone = co_await ended_within(answer ? kQuitPatience : milliseconds(0));
    if (!gone) {
      state_.log.emplace_back("sent SIGTERM");
      process_.signal(SIGTERM);
      gone = co_await ended_within(kTermPatience);
    }
  }
  if (process_.pid() > 0 && !state_.ended) {
    state_.log.emplace_back("sent SIGKILL");
    process_.signal(SIGKILL);
    co_await ended_within(kKillPatience);
  }
  tasks_.cancel();
  co_await tasks_.join();
}

std::string QemuMachine::command_line() const {
  std::string line;
  for (const std::string& word : qemu_command(setup_)) line += (line.empty() ? "" : " ") + shell_quote(word);
  return line;
}

}  // namespace luf::machine
