#include "run/template.h"

#include <algorithm>

#include "async/task_group.h"
#include "base/file.h"
#include "base/scratch.h"
#include "base/sha256.h"
#include "guest/follower.h"
#include "guest/plan_device.h"
#include "machine/qemu_machine.h"
#include "machine/saved_clock.h"
#include "protocol/event.h"
#include "run/supervise.h"

namespace luf::run {
namespace {

namespace fs = std::filesystem;
using std::chrono::minutes;

/// Each holds what its guest touched while it booted, about 150 MB.
constexpr std::size_t kKept = 8;
constexpr minutes kBootPatience(10);
constexpr minutes kSavePatience(2);

fs::path folder() { return cache_directory() / "template"; }

/// Removes those used longest ago, so that with the new one there are kKept.
void make_room() {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder(), error))
    if (entry.path().extension().empty()) found.emplace_back(entry.last_write_time(error), entry.path());
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i + kKept <= found.size(); ++i) fs::remove_all(found[i].second, error);
}

machine::QemuSetup setup_in(const fs::path& directory, const machine::QemuSetup& like) {
  machine::QemuSetup setup = like;
  setup.origin = machine::Origin::kTemplate;
  setup.seed = 1;
  setup.plugins.clear();
  setup.oracle.reset();
  setup.gdb.clear();
  setup.ram = directory;
  setup.plan = directory / "plan.bin";
  setup.console = directory / "console.log";
  setup.events = directory / "events.jsonl";
  setup.output = directory / "qemu.log";
  return setup;
}

/// Makes what was saved the same, however fast the host was.
Result<void> settle(const machine::QemuSetup& setup) {
  const fs::path file = setup.ram / "state.bin";
  Result<std::string> state = read_file(file);
  if (!state) return pass_on(state);
  const Result<void> settled = machine::settle_clock(*state, *setup.icount);
  return settled ? write_file(file, *state) : settled;
}

std::string why_not(const judge::Observation& seen) {
  if (seen.error) return seen.error->message;
  if (seen.end == judge::RunEnd::kNoBoot || seen.end == judge::RunEnd::kOverrun) return "it took too long";
  if (!seen.machine.last_words.empty()) return "QEMU said " + seen.machine.last_words;
  return seen.damage.value_or(
      "it ended before it was ready; its console ended with \"" +
      seen.console.substr(seen.console.size() - std::min<std::size_t>(seen.console.size(), 200)) + "\"");
}

Task<void> save_to(machine::QemuMachine& machine, fs::path file, TimePoint deadline, Result<void>& saved) {
  saved = co_await machine.save(file, deadline);
}

Task<Result<void>> boot_template(const Environment& environment, const machine::QemuSetup& setup) {
  Wake changed(environment.executor, environment.clock);
  const Interrupt::Listener listener(environment.interrupt, changed);
  guest::Follower follower(environment.executor);
  const Result<void> opened = follower.open(setup.events);
  if (!opened) co_return opened;
  TaskGroup tasks(environment.executor, environment.clock);
  tasks.start(follower.watch(changed));
  machine::QemuMachine machine(environment.executor, environment.clock, changed, setup);
  Result<void> saved = fail(Blame::kInfra, "the guest was not saved");
  Watched watched{machine, follower, changed, environment.clock, environment.interrupt, setup.ram, {},
                  {},      {},       {}};
  watched.last_event = protocol::event::kReady;
  watched.before_stop = [&] {
    return save_to(machine, setup.ram / "state.bin", environment.clock.now() + kSavePatience, saved);
  };
  const Patience patience{kBootPatience, kBootPatience, kBootPatience};
  judge::Observation seen = co_await supervise(std::move(watched), patience);
  tasks.cancel();
  co_await tasks.join();
  seen.console = read_file(setup.console).value_or("");
  if (seen.end == judge::RunEnd::kCancelled) co_return fail(Blame::kCancelled, "cancelled by the user");
  if (seen.end != judge::RunEnd::kDone)
    co_return fail(Blame::kInfra, "no guest to clone from: {}", why_not(seen));
  co_return saved;
}

}  // namespace

std::string template_key(const Settings& settings, const machine::QemuSetup& setup,
                         const std::string& qemu_version) {
  const std::string icount = setup.icount ? std::to_string(*setup.icount) : "host time";
  return sha256(fmt::format("2\n{}\n{}\n{}\n{}\n{} {} {}\n{}\n{}\n", qemu_version, settings.kernel.hash,
                            settings.image.initramfs_sha256, machine::kernel_cmdline(setup), setup.cpus,
                            setup.memory, setup.nodes, machine::to_string(setup.accel), icount) +
                (setup.slow_memory > 0 ? fmt::format("{} slow\n", setup.slow_memory) : ""))
      .substr(0, 16);
}

Task<Result<Template>> template_for(const Environment& environment, const Settings& settings,
                                    const machine::QemuSetup& like, const std::string& qemu_version) {
  const std::string key = template_key(settings, like, qemu_version);
  Template found{folder() / key};
  std::error_code error;
  if (fs::exists(found.state(), error)) {
    fs::last_write_time(found.directory, fs::file_time_type::clock::now(), error);
    co_return found;
  }
  environment.progress.say(
      fmt::format("booting the guest to clone from ({} CPUs); once for this kernel and machine", like.cpus));
  if (const Result<void> made = make_directories(folder()); !made) co_return pass_on(made);
  make_room();
  // Another lufbed may be making the same one: each in a place of its own, and the first to be ready gives the name.
  const Result<Scratch> scratch = Scratch::directory_in(folder(), key + ".");
  if (!scratch) co_return pass_on(scratch);
  const machine::QemuSetup setup = setup_in(scratch->path(), like);
  Result<void> done = guest::write_template_device(setup.plan);
  if (done) done = write_file(setup.events, "");
  if (!done) co_return pass_on(done);
  done = co_await boot_template(environment, setup);
  if (done) done = settle(setup);
  if (!done) co_return pass_on(done);
  fs::create_directory(scratch->path() / key, error);
  for (const fs::directory_entry& entry : fs::directory_iterator(scratch->path(), error))
    if (entry.is_regular_file())
      fs::rename(entry.path(), scratch->path() / key / entry.path().filename(), error);
  fs::rename(scratch->path() / key, found.directory, error);
  if (!fs::exists(found.state()))
    co_return fail(Blame::kInfra, "cannot keep the template in {}: {}", found.directory.string(),
                   error.message());
  co_return found;
}

Result<void> clone_from(const Template& from, machine::QemuSetup& setup) {
  setup.origin = machine::Origin::kClone;
  setup.ram = from.directory;
  setup.state = from.state();
  for (const auto& [source, target] :
       {std::pair{from.events(), setup.events}, {from.console(), setup.console}}) {
    const Result<std::string> text = read_file(source);
    if (!text) return pass_on(text);
    if (const Result<void> written = write_file(target, *text); !written) return written;
  }
  return {};
}

}  // namespace luf::run
