#include "run/run_scenario.h"

#include <algorithm>
#include <csignal>
#include <memory>

#include "async/task_group.h"
#include "base/file.h"
#include "base/scratch.h"
#include "guest/follower.h"
#include "guest/plan_device.h"
#include "machine/libvirt_machine.h"
#include "machine/qemu_machine.h"
#include "protocol/event.h"
#include "report/violation.h"
#include "run/admission.h"
#include "run/digest.h"
#include "run/injection.h"
#include "run/record.h"
#include "run/run_directory.h"
#include "run/steering.h"
#include "run/supervise.h"
#include "run/template.h"
#include "scenario/parse.h"
#include "scenario/plan.h"

namespace luf::run {
namespace {

/// A phase under emulation on a busy host may take several times its guest time.
constexpr int kSlowdown = 4;
/// With icount it is a number of instructions, which all virtual CPUs carry out in one thread: 2^-N of them a ns, of
/// which a busy host does 10 million a second.
constexpr int kIcountSlowdown = 100;
/// For a deterministic guest, which ends itself after its last event.
constexpr std::chrono::minutes kFinalPatience(1);

/// With the oracle everything takes longer, the boot too.
constexpr int kOracleSlowdown = 6;

/// Symbols for its reports: the kernel itself when it has some, else a System.map beside it.
std::filesystem::path kernel_symbols(const artifact::Kernel& kernel) {
  const Result<artifact::KernelFile> file = artifact::inspect_kernel(kernel.file);
  if (file && file->format == artifact::KernelFile::Format::kVmlinux) return kernel.file;
  std::filesystem::path map = kernel.file.parent_path() / ("System.map-" + kernel.release);
  std::error_code error;
  return std::filesystem::exists(map, error) ? map : std::filesystem::path();
}

std::optional<machine::OracleSetup> oracle_of(const Settings& settings,
                                              const std::filesystem::path& directory) {
  if (settings.oracle == "off") return std::nullopt;
  machine::OracleSetup oracle;
  oracle.plugin = executable_directory() / "lufbed-oracle.so";
  oracle.level = settings.oracle;
  oracle.out = directory;
  oracle.symbols = kernel_symbols(settings.kernel);
  const std::filesystem::path program = executable_directory() / "luf-guest";
  std::error_code error;
  if (std::filesystem::exists(program, error)) oracle.program = program;
  return oracle;
}

machine::QemuSetup setup_of(const Settings& settings, const Job& job, machine::Accel accel,
                            const std::filesystem::path& directory) {
  machine::QemuSetup setup;
  setup.qemu = settings.qemu;
  setup.accel = accel;
  setup.cpus = job.scenario.machine.cpus;
  setup.memory = job.scenario.machine.memory;
  setup.nodes = job.scenario.machine.nodes;
  setup.slow_memory = job.scenario.machine.slow_memory;
  for (const scenario::Part& part : job.scenario.parts) {
    const inject::Injector* injector = part.on_host ? inject::find(part.name) : nullptr;
    if (injector != nullptr && injector->needs) setup.devices.insert(*injector->needs);
  }
  setup.disk = directory / "disk.img";
  setup.icount = job.scenario.machine.icount;
  if (setup.icount) setup.emulator = executable_directory() / "../lib";
  setup.seed = job.scenario.seed;
  setup.kernel = settings.kernel.file;
  setup.initramfs = settings.image.initramfs;
  setup.plan = directory / "plan.bin";
  setup.console = directory / "console.log";
  setup.events = directory / "events.jsonl";
  setup.output = directory / "qemu.log";
  setup.cmdline = job.scenario.kernel.cmdline;
  setup.oracle = oracle_of(settings, directory);
  if (!settings.append.empty()) setup.cmdline += (setup.cmdline.empty() ? "" : " ") + settings.append;
  return setup;
}

Patience patience_of(const scenario::Scenario& scenario, bool with_oracle) {
  Patience patience{scenario.machine.boot_deadline, scenario.machine.stall_deadline,
                    scenario.machine.boot_deadline};
  const std::optional<std::int64_t> icount = scenario.machine.icount;
  const int slowdown = icount ? std::max(kSlowdown, kIcountSlowdown >> *icount) : kSlowdown;
  for (const scenario::Phase& phase : scenario.phases)
    patience.whole += phase.duration * slowdown + patience.stall;
  if (with_oracle) {
    for (Nanoseconds* stage : {&patience.boot, &patience.stall, &patience.whole}) *stage *= kOracleSlowdown;
  }
  return patience;
}

judge::DetectorsByRule detectors_by_rule(const scenario::Scenario& scenario,
                                         const scenario::Catalog& catalog) {
  judge::DetectorsByRule detectors;
  for (const scenario::Phase& phase : scenario.phases) {
    detectors[phase.expect] = scenario::detectors_of(scenario, catalog, phase.expect);
  }
  return detectors;
}

/// A deterministic guest goes on from a template, unless it is to boot.
Task<Result<void>> take_clone(const Environment& environment, const Settings& settings,
                              const std::string& version, machine::QemuSetup& setup) {
  if (settings.cold || !setup.icount) co_return Result<void>();
  const Result<Template> from = co_await template_for(environment, settings, setup, version);
  if (!from) co_return pass_on(from);
  co_return clone_from(*from, setup);
}

/// Where gdb and QEMU meet. A socket's name must be short, which that of a run directory may not be.
Result<void> make_gdb_socket(std::optional<Scratch>& scratch, machine::QemuSetup& setup) {
  Result<Scratch> made = Scratch::directory("lufbed-gdb-");
  if (!made) return pass_on(made);
  scratch.emplace(std::move(*made));
  setup.gdb = scratch->path() / "gdb";
  return {};
}

/// Empty, and no larger on the host than what the guest writes to it.
Result<void> make_disk(const machine::QemuSetup& setup) {
  if (!setup.devices.contains(machine::Device::kDisk)) return {};
  if (auto done = write_file(setup.disk, ""); !done) return done;
  std::error_code error;
  std::filesystem::resize_file(setup.disk, machine::kDiskBytes, error);
  if (error)
    return fail(Blame::kInfra, "cannot make the guest's disk {}: {}", setup.disk.string(), error.message());
  return {};
}

/// Everything that must lie on disk before the machine starts.
Result<void> prepare(const RunDirectory& directory, const Settings& settings, const Job& job,
                     const Manifest& manifest, const machine::QemuSetup& setup) {
  if (auto done = artifact::verify(settings.image); !done) return done;
  if (auto done = directory.write("scenario.toml", scenario::to_toml(job.scenario, settings.catalog)); !done)
    return done;
  if (auto done = directory.write("manifest.json", to_json(manifest)); !done) return done;
  if (auto done = directory.write("repro", repro_line(settings, job, manifest)); !done) return done;
  if (auto done = guest::write_plan_device(setup.plan, scenario::make_plan(job.scenario, job.name)); !done)
    return done;
  return directory.write_state("incomplete");
}

/// Without its report a run with the oracle says nothing.
void read_oracle(const machine::OracleSetup& setup, judge::Observation& seen) {
  Result<judge::OracleReport> report = fail(Blame::kInfra, "");
  const Result<std::string> text = read_file(setup.out / "oracle.json");
  if (text) report = judge::parse_oracle_report(*text);
  if (report) {
    seen.oracle = *std::move(report);
  } else if (!seen.error && seen.end == judge::RunEnd::kDone) {
    seen.error = text ? report.error() : text.error();
  }
}

/// Keeps what makes two deterministic runs comparable.
Result<void> write_digest(const RunDirectory& directory, const machine::QemuSetup& setup,
                          const std::string& state) {
  const Result<std::string> events = read_file(setup.events);
  if (!events) return pass_on(events);
  const Result<std::string> console = read_file(setup.console);
  if (!console) return pass_on(console);
  return directory.write("digest.json", to_json(digest_of(*events, *console, state)));
}

std::unique_ptr<machine::Machine> make_machine(const Environment& environment, const Settings& settings,
                                               Wake& changed, const machine::QemuSetup& setup) {
  if (settings.libvirt)
    return std::make_unique<machine::LibvirtMachine>(*settings.libvirt, environment.clock, changed, setup);
  return std::make_unique<machine::QemuMachine>(environment.executor, environment.clock, changed, setup);
}

Task<void> keep_final_state(machine::Machine& machine, TimePoint deadline, std::string& state) {
  state = co_await machine.final_state(deadline);
}

Task<judge::Observation> boot_and_watch(const Environment& environment, const Settings& settings,
                                        const Job& job, const RunDirectory& directory,
                                        machine::QemuSetup setup) {
  judge::Observation seen;
  Wake changed(environment.executor, environment.clock);
  const Interrupt::Listener listener(environment.interrupt, changed);
  guest::Follower follower(environment.executor);
  Result<void> opened = make_disk(setup);  // for each start, which also takes it away
  if (opened) opened = follower.open(setup.events);
  if (!opened) {
    seen.error = opened.error();
    co_return seen;
  }
  TaskGroup tasks(environment.executor, environment.clock);
  tasks.start(follower.watch(changed));
  const std::unique_ptr<machine::Machine> machine = make_machine(environment, settings, changed, setup);
  Injection injection(environment, *machine, job.scenario, directory.file("injections.jsonl"), setup.console);
  Watched watched{*machine,
                  follower,
                  changed,
                  environment.clock,
                  environment.interrupt,
                  directory.path(),
                  std::string(protocol::event::kDone),
                  [&](const guest::Event& event) {
                    environment.progress.take(event);
                    injection.take(event);
                  },
                  [&environment] { environment.progress.show(); }};
  if (settings.debugger) watched.at_stop = [&] { return settings.debugger(setup.gdb); };
  std::string state;
  if (setup.icount) {
    watched.before_stop = [&] {
      return keep_final_state(*machine, environment.clock.now() + kFinalPatience, state);
    };
  }
  const Patience patience = patience_of(job.scenario, setup.oracle.has_value());
  if (settings.libvirt) (void)directory.write("domain.xml", machine->command_line());
  seen = co_await supervise(std::move(watched), patience);
  seen.idle = co_await injection.stop();
  seen.crowding = crowding_of(settings, job);
  tasks.cancel();
  co_await tasks.join();
  const Result<std::string> console = read_file(setup.console);
  seen.console = console.value_or("");
  std::error_code gone;
  std::filesystem::remove(setup.disk, gone);
  if (setup.oracle) read_oracle(*setup.oracle, seen);
  // What cannot be read must not pass for a console without a fault.
  if (!console && !seen.error && seen.end == judge::RunEnd::kDone) seen.error = console.error();
  if (setup.icount && !seen.error && !settings.debugger) {
    const Result<void> kept = write_digest(directory, setup, state);
    if (!kept) seen.error = kept.error();
  }
  co_return seen;
}

/// QEMU 10.0 can fail an assertion of its own while the firmware and the kernel lay out the devices' memory and several
/// virtual CPUs run (iotlb_to_section). No detector has looked by then: nothing is lost by another start.
bool aborted_while_booting(const judge::Observation& seen) {
  return seen.end == judge::RunEnd::kMachineEnded && seen.events.empty() && !seen.machine.guest_panicked &&
         seen.machine.exit_signal == SIGABRT;
}

/// As boot_and_watch(), with one more start for a QEMU that aborted while the guest booted; the verdict says so.
Task<judge::Observation> boot_again_if_aborted(const Environment& environment, const Settings& settings,
                                               const Job& job, const RunDirectory& directory,
                                               const machine::QemuSetup& setup) {
  judge::Observation seen = co_await boot_and_watch(environment, settings, job, directory, setup);
  if (!aborted_while_booting(seen)) co_return seen;
  std::string first_start = seen.machine.last_words;
  seen = co_await boot_and_watch(environment, settings, job, directory, setup);
  seen.first_start = std::move(first_start);
  co_return seen;
}

report::Summary summary_of(const Settings& settings, const Job& job, const judge::Observation& seen) {
  report::Summary summary;
  summary.scenario = job.name;
  summary.kernel = settings.kernel.hash.empty() ? settings.kernel.release
                                                : settings.kernel.release + "-" + settings.kernel.hash;
  summary.verdict = judge::judge(job.scenario, detectors_by_rule(job.scenario, settings.catalog), seen);
  report::add_numbers(seen.events, summary);
  summary.oracle = seen.oracle;
  const auto finding = std::find_if(seen.events.begin(), seen.events.end(), [](const guest::Event& event) {
    return event.name == protocol::event::kFinding;
  });
  if (finding == seen.events.end()) return summary;
  summary.first_finding =
      fmt::format("{} by {}: {}", finding->text("rule"), finding->text("part"), finding->text("detail"));
  summary.fingerprint = fingerprint(*finding);
  return summary;
}

/// How each kind of violation that the oracle saw came about; without one there is nothing to write.
Result<void> write_violations(const RunDirectory& directory, const judge::OracleReport& oracle) {
  std::string text;
  for (std::size_t i = 0; i < oracle.findings.size(); ++i) {
    const judge::OracleFinding& finding = oracle.findings[i];
    text += report::violation_text(finding) + "\n";
    const Result<void> written =
        directory.write(fmt::format("violation-{}.svg", i + 1), report::violation_svg(finding));
    if (!written) return written;
  }
  return text.empty() ? Result<void>() : directory.write("violations.txt", text);
}

/// Writes what the run brought; a disk that is full by now turns the verdict into infra.
void conclude(const RunDirectory& directory, const judge::Observation& seen, report::Summary& summary) {
  Result<void> written = directory.write("findings.json", findings_json(seen.events));
  if (written) written = directory.write("metrics.json", metrics_json(summary));
  if (written)
    written = directory.write("machine.log", fmt::format("{}\n", fmt::join(seen.machine.log, "\n")));
  if (written && seen.oracle) written = write_violations(directory, *seen.oracle);
  const bool decided =
      summary.verdict.outcome == judge::Outcome::kFail || summary.verdict.outcome == judge::Outcome::kInfra;
  if (!written && !decided) {
    summary.verdict.outcome = judge::Outcome::kInfra;
    summary.verdict.blame = Blame::kInfra;
    summary.verdict.reason = written.error().message;
  }
  const Result<void> verdict = directory.write_verdict(summary.verdict);
  if (!verdict) summary.verdict.notes.push_back(verdict.error().message);
}

}  // namespace

Task<report::Summary> run_scenario(const Environment& environment, const Settings& settings, const Job& given,
                                   AccelChoice accel, std::string qemu_version) {
  Job job = given;
  judge::Observation seen;
  const TimePoint start = environment.clock.now();
  const Result<RunDirectory> directory = RunDirectory::create(settings.runs, job.name);
  if (!directory) {
    seen.error = directory.error();
    co_return summary_of(settings, job, seen);
  }
  if (job.file.empty()) job.file = directory->file("scenario.toml");
  machine::QemuSetup setup = setup_of(settings, job, accel.accel, directory->path());
  std::optional<Scratch> socket;
  Result<void> prepared = directory->write("events.jsonl", "");
  if (prepared && settings.debugger) prepared = make_gdb_socket(socket, setup);
  if (prepared) prepared = add_steering(settings, job.scenario, directory->file("steer.json"), setup);
  if (prepared) prepared = co_await take_clone(environment, settings, qemu_version, setup);
  const Manifest manifest = make_manifest(settings, job, setup, accel, std::move(qemu_version));
  if (prepared) prepared = prepare(*directory, settings, job, manifest, setup);
  if (prepared) {
    seen = co_await boot_again_if_aborted(environment, settings, job, *directory, setup);
  } else {
    seen.error = prepared.error();
  }
  report::Summary summary = summary_of(settings, job, seen);
  summary.directory = directory->path();
  if (prepared) summary.accel = machine::to_string(accel.accel);
  const std::chrono::duration<double> took = environment.clock.now() - start;
  summary.seconds = took.count();
  if (const Result<Digest> digest = digest_in(directory->path()); digest && seen.end == judge::RunEnd::kDone)
    summary.digest = digest->whole();
  conclude(*directory, seen, summary);
  co_return summary;
}

Task<Result<void>> warm_up(const Environment& environment, const Settings& settings, const Job& job,
                           std::string qemu_version) {
  if (settings.cold || !job.scenario.machine.icount) co_return Result<void>();
  const machine::QemuSetup setup = setup_of(settings, job, machine::Accel::kTcg, {});
  const Result<Template> made = co_await template_for(environment, settings, setup, qemu_version);
  if (!made) co_return pass_on(made);
  co_return Result<void>();
}

}  // namespace luf::run
