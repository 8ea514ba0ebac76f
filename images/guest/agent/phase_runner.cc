#include "agent/phase_runner.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "agent/kernel_check.h"
#include "lib/doorbell.h"
#include "lib/read_errors.h"
#include "lib/vmstat.h"
#include "protocol/event.h"
#include "protocol/luf_sysfs.h"

namespace luf::guest {

namespace {

namespace event = protocol::event;

constexpr std::uint64_t kPollNs = 10'000'000;
constexpr std::uint64_t kProgressMs = 1000;
constexpr std::uint64_t kReadyLimitMs = 20'000;
constexpr std::uint64_t kStopLimitMs = 5000;
constexpr const char* kDeferred = "luf_deferred";

std::string exit_problem(int status, const PartSlot& slot, bool may_end) {
  if (slot.failed.load(std::memory_order_acquire) == 2) return slot.error;
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "killed by signal " + std::to_string(signal) + (signal == SIGKILL ? " (out of memory?)" : "");
  }
  if (WEXITSTATUS(status) != 0) return "ended with status " + std::to_string(WEXITSTATUS(status));
  return may_end ? "" : "ended before the phase did";
}

/// A number in a file of the kernel's, added to `gauges` when the file is there.
void read_gauge(Json& gauges, const char* name, const std::string& path) {
  const std::string text = read_text(path);
  if (!text.empty()) gauges[name] = std::strtoull(text.c_str(), nullptr, 10);
}

/// Bits that the kernel sets when something in it went wrong, or when a module is not its own.
std::uint64_t read_taint() {
  return std::strtoull(read_text("/proc/sys/kernel/tainted").c_str(), nullptr, 10);
}

std::uint64_t value_of(const Counters& counters, std::string_view name) {
  const auto found = counters.find(std::string(name));
  return found == counters.end() ? 0 : found->second;
}

/// What was chosen for it has its pages in memory that is reclaimed by swapping.
bool chose_swapped(const Part& part, const PlannedPart& planned) {
  return std::any_of(part.params.begin(), part.params.end(), [&planned](const Param& param) {
    const auto chosen = planned.params.texts.find(param.name);
    return chosen != planned.params.texts.end() &&
           std::find(param.swapped.begin(), param.swapped.end(), chosen->second) != param.swapped.end();
  });
}

/// The kernel lacks the file system that was chosen for it. What follows a "_" is a way to use it.
bool lacks_file_system(const PlannedPart& planned) {
  const auto fs = planned.params.texts.find("fs");
  if (fs == planned.params.texts.end()) return false;
  const std::string name = fs->second.substr(0, fs->second.find('_'));
  return read_text("/proc/filesystems").find("\t" + name + "\n") == std::string::npos;
}

}  // namespace

void PhaseRunner::run(const Phase& phase) {
  phase_ = &phase;
  ring_phase(phases_begun_++);
  parts_.clear();
  if (phase.needs_luf && !exists(std::string(protocol::kLufDir))) {
    Json skip = fields();
    skip["reason"] = "this kernel has no LUF series (no " + std::string(protocol::kLufDir) + ")";
    events_.emit(event::kSkip, skip);
    return;
  }
  if (!apply_settings()) return;
  choose_parts();
  if (parts_.empty() && !phase.parts.empty()) {
    Json skip = fields();
    skip["reason"] = "none of its parts can run here";
    events_.emit(event::kSkip, skip);
    return;
  }
  area_ = map_shared_area();
  if (area_ == nullptr) {
    Json error = fields();
    error["message"] = std::string("map the shared area: ") + std::strerror(errno);
    events_.emit(event::kError, error);
    return;
  }
  events_.emit(event::kPhaseStart, fields());
  started_ns_ = monotonic_ns();
  for (Running& running : parts_) start(running);
  wait_until_ready();
  const Counters before = read_counters();
  deferred_before_ = value_of(before, kDeferred);
  taint_before_ = read_taint();
  started_ns_ = monotonic_ns();
  area_->start.store(1, std::memory_order_release);
  watch();
  ended_ns_ = monotonic_ns();
  tell_end(before);
  unmap_shared_area(area_);
}

bool PhaseRunner::apply_settings() {
  for (const Setting& setting : phase_->settings) {
    if (setting.optional && !exists(setting.path)) continue;
    const std::string problem = write_text(setting.path, setting.value);
    if (problem.empty()) continue;
    Json error = fields();
    error["message"] = "setting: " + problem;
    events_.emit(event::kError, error);
    return false;
  }
  return true;
}

void PhaseRunner::choose_parts() {
  for (const PlannedPart& planned : phase_->parts) {
    Json told{{"phase", phase_->name}, {"part", planned.id}};
    const Part* part = find_part(planned.kind, planned.name);
    if (part == nullptr) {
      told["message"] = "this guest has no " + planned.kind + " " + planned.name;
      events_.emit(event::kError, told);
      continue;
    }
    const std::string reason = why_not(*part, planned);
    if (!reason.empty()) {
      told["reason"] = reason;
      events_.emit(event::kSkip, told);
      continue;
    }
    parts_.push_back({part, &planned, static_cast<unsigned>(parts_.size())});
  }
}

std::string PhaseRunner::why_not(const Part& part, const PlannedPart& planned) {
  const auto needs = [](unsigned wanted, const char* what, unsigned there) {
    return "needs " + std::to_string(wanted) + " " + what + ", the machine has " + std::to_string(there);
  };
  if (topology_.cpus < part.min_cpus) return needs(part.min_cpus, "CPUs", topology_.cpus);
  if (topology_.nodes < part.min_nodes) return needs(part.min_nodes, "NUMA nodes", topology_.nodes);
  if (part.needs_file != nullptr && !exists(part.needs_file))
    return std::string("the kernel has no ") + part.needs_file;
  if (std::string lacking = part.lacks != nullptr ? part.lacks(planned.params) : ""; !lacking.empty())
    return lacking;
  if ((part.needs_swap || chose_swapped(part, planned)) && !swap_.prepare().empty()) return swap_.prepare();
  if (part.needs_disk && !disk_.prepare().empty()) return disk_.prepare();
  return lacks_file_system(planned) ? "the kernel has no " + planned.params.texts.at("fs") : std::string();
}

void PhaseRunner::start(Running& running) {
  running.pid = fork();
  if (running.pid == 0) run_part(running);
  if (running.pid < 0) {
    Json error = fields(running);
    error["message"] = std::string("fork: ") + std::strerror(errno);
    events_.emit(event::kError, error);
    running.ended = true;
    return;
  }
  Json told = fields(running);
  told["pid"] = running.pid;
  events_.emit(event::kPartStart, told);
}

void PhaseRunner::run_part(const Running& running) {
  setpgid(0, 0);
  prctl(PR_SET_NAME, running.planned->id.c_str());  // for the console, e.g. when memory is out
  PartContext context(running.planned->id, running.slot, running.planned->params, topology_, plan_.seed,
                      *area_);
  write_text("/proc/self/oom_score_adj", "0");
  if (running.part->kind != PartKind::injector) {
    // memory.reclaim of this cgroup must act on what parts use, and on nothing else.
    const std::string problem = write_text("/sys/fs/cgroup/lufbed/cgroup.procs", "0");
    if (!problem.empty()) context.fail("join the parts' cgroup: %s", problem.c_str());
  }
  // Only the virtual disk's reads may be made to fail; anywhere else SIGBUS is an error of the part or of the kernel.
  if (exists(kVirtualDisk) && !retry_read_errors(context.metric("read_errors")))
    context.fail("a handler for SIGBUS: %s", std::strerror(errno));
  running.part->run(context);
  _exit(0);
}

void PhaseRunner::wait_until_ready() {
  const auto waiting = [this](const Running& running) {
    return !running.ended && area_->parts[running.slot].ready.load(std::memory_order_acquire) == 0;
  };
  while (std::any_of(parts_.begin(), parts_.end(), waiting)) {
    if (elapsed_ms() > kReadyLimitMs) {
      for (const Running& running : parts_) {
        if (!waiting(running)) continue;
        Json error = fields(running);
        error["message"] = "its set-up was not over after 20 s";
        events_.emit(event::kError, error);
      }
      return;
    }
    sleep_ns(1'000'000);
    reap();
  }
}

void PhaseRunner::watch() {
  std::uint64_t next_progress = kProgressMs;
  while (elapsed_ms() < phase_->duration_ms) {
    const std::uint64_t left_ns = (phase_->duration_ms - elapsed_ms()) * 1'000'000;
    sleep_ns(std::min(kPollNs, std::max<std::uint64_t>(left_ns, 1'000'000)));
    for (Running& running : parts_) tell_findings(running);
    reap();
    if (elapsed_ms() >= next_progress) {
      tell_progress();
      next_progress = elapsed_ms() / kProgressMs * kProgressMs + kProgressMs;
    }
    if (phase_->stop_at_finding && sum_findings() > 0) break;
    if (!parts_.empty() && all_ended()) break;
  }
  stop();
}

void PhaseRunner::stop() {
  area_->stop.store(1);
  const std::uint64_t deadline = elapsed_ms() + kStopLimitMs;
  while (!all_ended() && elapsed_ms() < deadline) {
    sleep_ns(1'000'000);
    reap();
  }
  for (Running& running : parts_) {
    if (running.ended) continue;
    Json error = fields(running);
    error["message"] = "ignored the stop for 5 s and was killed";
    events_.emit(event::kError, error);
    kill(-running.pid, SIGKILL);
    int status = 0;
    waitpid(running.pid, &status, 0);
    end_part(running, status);
  }
}

void PhaseRunner::reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto found = std::find_if(parts_.begin(), parts_.end(),
                                    [&](const Running& r) { return r.pid == pid && !r.ended; });
    if (found != parts_.end()) end_part(*found, status);  // else an orphan, which pid 1 inherits
  }
}

void PhaseRunner::end_part(Running& running, int status) {
  const PartSlot& slot = area_->parts[running.slot];
  tell_findings(running);
  running.ended = true;
  kill(-running.pid, SIGKILL);  // whatever its main process has left
  Json metrics = Json::object();
  if (running.part->kind == PartKind::detector) {
    metrics["loads"] = slot.loads.load();
    metrics["findings"] = slot.findings.load();
  }
  for (std::uint32_t i = 0; i < slot.metric_count; ++i)
    metrics[slot.metrics[i].name] = slot.metrics[i].value.load();
  Json told = fields(running);
  told["metrics"] = std::move(metrics);
  const std::string problem =
      exit_problem(status, slot, area_->stop.load() != 0 || running.part->ends_by_itself);
  if (!problem.empty()) told["error"] = problem;
  events_.emit(event::kPartEnd, told);
}

void PhaseRunner::tell_findings(Running& running) {
  const PartSlot& slot = area_->parts[running.slot];
  while (running.findings_told < kFindingsKept &&
         slot.records[running.findings_told].ready.load(std::memory_order_acquire) != 0) {
    const FindingRecord& record = slot.records[running.findings_told++];
    Json told = fields(running);
    told["rule"] = record.rule;
    told["detail"] = record.detail;
    told["evidence"] = Json::parse(record.evidence, nullptr, false);
    told["loads"] = record.loads;
    told["at_ns"] = record.at_ns;
    told["cpu"] = record.cpu;
    events_.emit(event::kFinding, told);
  }
}

void PhaseRunner::tell_progress() {
  Json told = fields();
  told["elapsed_ms"] = elapsed_ms();
  told["loads"] = sum_loads();
  told["findings"] = sum_findings();
  const std::uint64_t deferred = vmstat_sum({kDeferred});
  told["deferred"] = deferred > deferred_before_ ? deferred - deferred_before_ : 0;
  events_.emit(event::kProgress, told);
}

void PhaseRunner::tell_end(const Counters& before) {
  Json told = fields();
  told["elapsed_ms"] = (ended_ns_ - started_ns_) / 1'000'000;
  told["loads"] = sum_loads();
  told["counters"] = increase(before, read_counters());
  Json gauges = Json::object();
  const std::string directory(protocol::kLufDir);
  read_gauge(gauges, "luf_pending", directory + "/pending");
  read_gauge(gauges, "luf_pending_max", directory + "/pending_peak");
  const std::optional<std::uint64_t> age_max_ns = read_age_max();
  if (age_max_ns) gauges["luf_age_max_us"] = *age_max_ns / 1000;
  told["gauges"] = std::move(gauges);
  told["findings"] = sum_findings() + tell_kernel_findings();
  tell_taint();
  events_.emit(event::kPhaseEnd, told);
}

/// Returns how many there are.
std::uint64_t PhaseRunner::tell_kernel_findings() {
  const std::vector<KernelFinding> findings = check_kernel(plan_.exact_time);
  for (const KernelFinding& finding : findings) {
    Json told = fields();
    told["part"] = "agent";
    told["rule"] = finding.rule;
    told["detail"] = finding.detail;
    told["evidence"] = finding.evidence;
    told["loads"] = sum_loads();
    events_.emit(event::kFinding, told);
  }
  return findings.size();
}

void PhaseRunner::tell_taint() {
  const std::uint64_t taint = read_taint();
  if (taint == taint_before_) return;
  Json error = fields();
  error["message"] = "the kernel is tainted since this phase: " + std::to_string(taint);
  events_.emit(event::kError, error);
}

bool PhaseRunner::all_ended() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const Running& running) { return running.ended; });
}

std::uint64_t PhaseRunner::sum_loads() const {
  std::uint64_t sum = 0;
  for (const Running& running : parts_) {
    if (running.part->kind == PartKind::detector) sum += area_->parts[running.slot].loads.load();
  }
  return sum;
}

std::uint64_t PhaseRunner::sum_findings() const {
  std::uint64_t sum = 0;
  for (const Running& running : parts_) {
    if (running.part->kind == PartKind::detector) sum += area_->parts[running.slot].findings.load();
  }
  return sum;
}

}  // namespace luf::guest
