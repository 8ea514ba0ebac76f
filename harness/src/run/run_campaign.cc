#include "run/run_campaign.h"

#include <algorithm>
#include <chrono>

#include "base/file.h"
#include "base/usage.h"
#include "run/campaign.h"
#include "run/record.h"

namespace luf::run {
namespace {

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// One session of a campaign.
class Session {
 public:
  Session(const Environment& environment, CampaignWork& work, Schedule schedule)
      : environment_(environment),
        work_(work),
        schedule_(std::move(schedule)),
        began_(environment.clock.now()),
        before_(work.campaign) {}

  std::optional<Job> next() {
    if (error_ || out_of_time()) return std::nullopt;
    const std::optional<Schedule::Turn> turn = schedule_.next();
    if (!turn) return std::nullopt;
    const Planned& planned = work_.plan[turn->planned];
    const std::size_t slot = turns_.size();
    turns_.push_back(*turn);
    environment_.progress.begin_guest(slot + 1, slot + 1 + schedule_.left(), planned.job.name,
                                      time_of(planned.job), time_left());
    Job job = planned.job;
    job.number = slot;
    return job;
  }

  void done(const Job& job, const report::Summary& summary) {
    if (summary.verdict.blame == Blame::kCancelled) return;
    const Schedule::Turn turn = turns_[job.number];
    const history::Run run = to_run(work_.plan[turn.planned], turn.attempt, summary);
    schedule_.ended(turn, run.is_bad());
    ++ended_;
    account();
    const Result<void> added = work_.history.add(work_.campaign, run);
    if (!added) {
      error_ = added.error();
      return;
    }
    environment_.progress.say(fmt::format(
        "{} of {}: {} {} · {} · {} · {} CPUs · seed {}{} · {:.1f} s", ended_, ended_ + schedule_.left(),
        to_string(run.outcome), run.scenario, run.kernel, run.points, run.cpus, run.seed,
        run.attempt > 1 ? fmt::format(" · attempt {}", run.attempt) : "", run.seconds));
  }

  Result<history::Campaign> conclude() {
    if (error_) return tl::make_unexpected(*error_);
    work_.campaign.state = environment_.interrupt.asked() ? history::State::kInterrupted
                           : schedule_.left() > 0         ? history::State::kOutOfTime
                                                          : history::State::kFinished;
    if (const Result<void> set = work_.history.set_state(work_.campaign); !set) return pass_on(set);
    return work_.campaign;
  }

 private:
  double at_work() const { return std::chrono::duration<double>(environment_.clock.now() - began_).count(); }

  void account() {
    work_.campaign.spent = before_.spent + at_work();
    work_.campaign.harness_cpu = before_.harness_cpu + own_cpu_seconds();
    work_.campaign.guest_cpu = before_.guest_cpu + child_cpu_seconds();
  }

  bool out_of_time() const {
    return work_.budget && before_.spent + at_work() >= std::chrono::duration<double>(*work_.budget).count();
  }

  Nanoseconds time_of(const Job& job) const {
    Nanoseconds sum{};
    for (const scenario::Phase& phase : job.scenario.phases) sum += phase.duration;
    return sum;
  }

  /// At the pace so far, but not longer than the budget.
  Nanoseconds time_left() const {
    const double each = ended_ > 0 ? at_work() / static_cast<double>(ended_)
                                   : std::chrono::duration<double>(time_of(work_.plan.front().job)).count();
    double left = each * static_cast<double>(schedule_.left());
    if (work_.budget)
      left = std::min(left, std::chrono::duration<double>(*work_.budget).count() - before_.spent - at_work());
    return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(std::max(left, 0.0)));
  }

  const Environment& environment_;
  CampaignWork& work_;
  Schedule schedule_;
  TimePoint began_;
  history::Campaign before_;  ///< as this session found it
  std::vector<Schedule::Turn> turns_;
  std::size_t ended_ = 0;
  std::optional<Error> error_;
};

std::vector<Job> jobs_in(const std::vector<Planned>& plan) {
  std::vector<Job> jobs;
  for (const Planned& planned : plan) jobs.push_back(planned.job);
  return jobs;
}

bool has_failed(const judge::Verdict& verdict, const std::string& phase) {
  return std::any_of(verdict.phases.begin(), verdict.phases.end(), [&phase](const judge::PhaseVerdict& one) {
    return one.phase == phase && one.outcome == judge::Outcome::kFail;
  });
}

void add_findings(const report::Summary& summary, history::Run& run) {
  for (const auto& [phase, record] : summary.phases) {
    for (const judge::Finding& finding : record.findings)
      run.findings.push_back(
          {finding.rule, finding.part, finding.detail, fingerprint(finding.rule, finding.part), phase,
           has_failed(summary.verdict, phase), static_cast<std::int64_t>(finding.after_ms)});
  }
}

}  // namespace

history::Run to_run(const Planned& planned, std::int64_t attempt, const report::Summary& summary) {
  history::Run run;
  run.key = planned.key;
  run.attempt = attempt;
  run.scenario = planned.job.name;
  run.content = planned.content;
  run.kernel = planned.kernel;
  run.build = planned.build;
  run.points = planned.job.scenario.kernel.points;
  run.cpus = planned.job.scenario.machine.cpus;
  run.seed = planned.job.scenario.seed;
  run.outcome = summary.verdict.outcome;
  run.reason = summary.verdict.reason;
  run.accel = summary.accel;
  run.ended = unix_now();
  run.seconds = summary.seconds;
  run.boot_seconds = summary.boot_seconds;
  run.loads = static_cast<std::int64_t>(summary.loads);
  run.directory = summary.directory.string();
  const std::string repro = read_file(summary.directory / "repro").value_or("");
  run.repro = repro.substr(0, repro.find('\n'));
  add_findings(summary, run);
  for (const auto& [name, value] : summary.counters) {
    if (history::is_kept(name)) run.counters[name] = static_cast<std::int64_t>(value);
  }
  for (const auto& [name, value] : summary.gauges) run.gauges[name] = static_cast<std::int64_t>(value);
  return run;
}

Task<Result<history::Campaign>> run_campaign(const Environment& environment, CampaignWork work) {
  const Result<std::map<std::string, history::Last>> last = work.history.last_runs();
  if (!last) co_return pass_on(last);
  const Result<std::vector<history::Run>> done = work.history.runs(work.campaign.number);
  if (!done) co_return pass_on(done);
  Session session(environment, work, Schedule(work.plan, *last, *done, work.repeats));
  Work source;
  source.next = [&session] { return session.next(); };
  source.done = [&session](const Job& job, const report::Summary& summary) { session.done(job, summary); };
  const std::vector<Job> jobs = jobs_in(work.plan);
  const bool open = leaves_accel_open(work.settings, jobs);
  const Result<void> ran = co_await run_work(environment, work.settings, source, open);
  if (!ran) co_return pass_on(ran);
  co_return session.conclude();
}

}  // namespace luf::run
