#include "history/history.h"

#include <algorithm>
#include <charconv>

namespace luf::history {
namespace {

constexpr const char* kVersion = "1";

constexpr const char* kTables = R"(
CREATE TABLE campaign (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, plan TEXT NOT NULL,
  shard TEXT NOT NULL, state TEXT NOT NULL, planned INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
  spent REAL NOT NULL, harness_cpu REAL NOT NULL, guest_cpu REAL NOT NULL);
CREATE TABLE run (number INTEGER PRIMARY KEY, campaign INTEGER NOT NULL REFERENCES campaign(number), key TEXT NOT NULL,
  attempt INTEGER NOT NULL, scenario TEXT NOT NULL, content TEXT NOT NULL, kernel TEXT NOT NULL, build TEXT NOT NULL,
  points TEXT NOT NULL, cpus INTEGER NOT NULL, seed INTEGER NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL,
  accel TEXT NOT NULL, ended INTEGER NOT NULL, seconds REAL NOT NULL, boot_seconds REAL NOT NULL, loads INTEGER NOT NULL,
  directory TEXT NOT NULL, repro TEXT NOT NULL, UNIQUE (campaign, key, attempt));
CREATE TABLE finding (run INTEGER NOT NULL REFERENCES run(number), rule TEXT NOT NULL, part TEXT NOT NULL,
  detail TEXT NOT NULL, fingerprint TEXT NOT NULL, phase TEXT NOT NULL, violation INTEGER NOT NULL,
  after_ms INTEGER NOT NULL);
CREATE INDEX finding_of_run ON finding (run);
CREATE TABLE number (run INTEGER NOT NULL REFERENCES run(number), kind TEXT NOT NULL, name TEXT NOT NULL,
  value INTEGER NOT NULL, PRIMARY KEY (run, kind, name)) WITHOUT ROWID;
PRAGMA user_version = 1;
)";

template <typename Enum>
Enum parse_enum(const std::string& text, std::initializer_list<Enum> values, Enum fallback) {
  for (const Enum value : values) {
    if (to_string(value) == text) return value;
  }
  return fallback;
}

judge::Outcome parse_outcome(const std::string& text) {
  using judge::Outcome;
  return parse_enum(text,
                    {Outcome::kPass, Outcome::kFail, Outcome::kKnownFailure, Outcome::kUnexpectedPass,
                     Outcome::kSkip, Outcome::kVacuous},
                    Outcome::kInfra);
}

Campaign campaign_at(const Statement& row) {
  Campaign campaign;
  campaign.number = row.number(0);
  campaign.id = row.text(1);
  campaign.name = row.text(2);
  campaign.plan = row.text(3);
  campaign.shard = row.text(4);
  campaign.state =
      parse_enum(row.text(5), {State::kFinished, State::kOutOfTime, State::kInterrupted}, State::kRunning);
  campaign.planned = row.number(6);
  campaign.started = row.number(7);
  campaign.ended = row.number(8);
  campaign.spent = row.real(9);
  campaign.harness_cpu = row.real(10);
  campaign.guest_cpu = row.real(11);
  return campaign;
}

Run run_at(const Statement& row) {
  Run run;
  run.key = row.text(0);
  run.attempt = row.number(1);
  run.scenario = row.text(2);
  run.content = row.text(3);
  run.kernel = row.text(4);
  run.build = row.text(5);
  run.points = row.text(6);
  run.cpus = row.number(7);
  run.seed = row.number(8);
  run.outcome = parse_outcome(row.text(9));
  run.reason = row.text(10);
  run.accel = row.text(11);
  run.ended = row.number(12);
  run.seconds = row.real(13);
  run.boot_seconds = row.real(14);
  run.loads = row.number(15);
  run.directory = row.text(16);
  run.repro = row.text(17);
  return run;
}

constexpr std::string_view kInsertCampaign =
    "INSERT INTO campaign (id, name, plan, shard, state, planned, started, ended, spent, harness_cpu, "
    "guest_cpu) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number";

}  // namespace

Result<History> History::open(const std::filesystem::path& file, bool create) {
  Result<Database> database = Database::open(file, create);
  if (!database) return pass_on(database);
  History history(std::move(*database));
  const Result<std::string> version = history.database_.value_of("PRAGMA user_version");
  if (!version) return pass_on(version);
  if (*version == "0") {
    if (const Result<void> made = history.make_tables(); !made) return pass_on(made);
  } else if (*version != kVersion) {
    return fail(Blame::kInfra, "the history {} is of another lufbed (format {}, this one knows {})",
                file.string(), *version, kVersion);
  } else if (create) {
    // Before anything is added: a damaged file is to be told now, not in a year.
    const Result<std::string> check = history.database_.value_of("PRAGMA integrity_check(1)");
    if (!check) return pass_on(check);
    if (*check != "ok")
      return fail(
          Blame::kInfra,
          "the history {} is damaged: {}; put a copy back, or name another file with --history (nothing was "
          "written)",
          file.string(), check->substr(0, check->find('\n')));
  }
  return history;
}

Result<void> History::make_tables() {
  Transaction transaction(database_);
  const Result<std::string> version = database_.value_of("PRAGMA user_version");
  if (!version) return pass_on(version);
  if (*version != "0") return {};  // another one was faster
  if (Result<void> made = database_.execute(kTables); !made) return made;
  return transaction.commit();
}

Result<void> History::begin(Campaign& campaign) {
  Transaction transaction(database_);
  Statement insert(database_, kInsertCampaign);
  insert.bind(campaign.id).bind(campaign.name).bind(campaign.plan).bind(campaign.shard);
  insert.bind(to_string(campaign.state)).bind(campaign.planned).bind(campaign.started).bind(campaign.ended);
  insert.bind(campaign.spent).bind(campaign.harness_cpu).bind(campaign.guest_cpu);
  const Result<bool> row = insert.step();
  if (!row) return pass_on(row);
  campaign.number = insert.number(0);
  if (const Result<bool> end = insert.step(); !end) return pass_on(end);
  return transaction.commit();
}

Result<void> History::insert(std::int64_t campaign, const Run& run) {
  Statement row(database_,
                "INSERT INTO run (campaign, key, attempt, scenario, content, kernel, build, points, cpus, "
                "seed, verdict, "
                "reason, accel, ended, seconds, boot_seconds, loads, directory, repro) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number");
  row.bind(campaign).bind(run.key).bind(run.attempt).bind(run.scenario).bind(run.content).bind(run.kernel);
  row.bind(run.build).bind(run.points).bind(run.cpus).bind(run.seed).bind(to_string(run.outcome));
  row.bind(run.reason)
      .bind(run.accel)
      .bind(run.ended)
      .bind(run.seconds)
      .bind(run.boot_seconds)
      .bind(run.loads);
  row.bind(run.directory).bind(run.repro);
  const Result<bool> inserted = row.step();
  if (!inserted) return pass_on(inserted);
  const std::int64_t number = row.number(0);
  if (const Result<bool> end = row.step(); !end) return pass_on(end);
  for (const Finding& finding : run.findings) {
    Statement add(database_, "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    add.bind(number).bind(finding.rule).bind(finding.part).bind(finding.detail).bind(finding.fingerprint);
    add.bind(finding.phase).bind(static_cast<std::int64_t>(finding.violation)).bind(finding.after_ms);
    if (Result<void> added = add.run(); !added) return added;
  }
  for (const auto& [kind, numbers] : {std::pair{"counter", &run.counters}, std::pair{"gauge", &run.gauges}}) {
    for (const auto& [name, value] : *numbers) {
      Statement add(database_, "INSERT INTO number VALUES (?, ?, ?, ?)");
      add.bind(number).bind(kind).bind(name).bind(value);
      if (Result<void> added = add.run(); !added) return added;
    }
  }
  return {};
}

Result<void> History::add(const Campaign& campaign, const Run& run) {
  Transaction transaction(database_);
  if (Result<void> inserted = insert(campaign.number, run); !inserted) return inserted;
  Statement update(
      database_, "UPDATE campaign SET ended = ?, spent = ?, harness_cpu = ?, guest_cpu = ? WHERE number = ?");
  update.bind(run.ended).bind(campaign.spent).bind(campaign.harness_cpu).bind(campaign.guest_cpu);
  if (Result<void> updated = update.bind(campaign.number).run(); !updated) return updated;
  return transaction.commit();
}

Result<void> History::set_state(const Campaign& campaign) {
  Statement update(database_, "UPDATE campaign SET state = ? WHERE number = ?");
  return update.bind(to_string(campaign.state)).bind(campaign.number).run();
}

Result<std::vector<Campaign>> History::campaigns() {
  Statement rows(
      database_,
      "SELECT number, id, name, plan, shard, state, planned, started, ended, spent, harness_cpu, guest_cpu "
      "FROM campaign ORDER BY number");
  std::vector<Campaign> campaigns;
  while (true) {
    const Result<bool> row = rows.step();
    if (!row) return pass_on(row);
    if (!*row) return campaigns;
    campaigns.push_back(campaign_at(rows));
  }
}

Result<void> History::read_details(std::int64_t campaign,
                                   std::map<std::pair<std::string, std::int64_t>, Run*>& runs) {
  Statement findings(
      database_,
      "SELECT run.key, run.attempt, rule, part, detail, fingerprint, phase, violation, after_ms FROM finding "
      "JOIN run ON run.number = finding.run WHERE campaign = ? ORDER BY finding.rowid");
  findings.bind(campaign);
  while (true) {
    const Result<bool> row = findings.step();
    if (!row) return pass_on(row);
    if (!*row) break;
    runs.at({findings.text(0), findings.number(1)})
        ->findings.push_back({findings.text(2), findings.text(3), findings.text(4), findings.text(5),
                              findings.text(6), findings.number(7) != 0, findings.number(8)});
  }
  Statement numbers(
      database_,
      "SELECT run.key, run.attempt, kind, name, value FROM number JOIN run ON run.number = number.run "
      "WHERE campaign = ?");
  numbers.bind(campaign);
  while (true) {
    const Result<bool> row = numbers.step();
    if (!row) return pass_on(row);
    if (!*row) return {};
    Run& run = *runs.at({numbers.text(0), numbers.number(1)});
    (numbers.text(2) == "counter" ? run.counters : run.gauges)[numbers.text(3)] = numbers.number(4);
  }
}

Result<std::vector<Run>> History::runs(std::int64_t campaign) {
  Transaction snapshot(
      database_,
      Transaction::Kind::kRead);  // runs and their details of one moment, also while a campaign goes on
  Statement rows(
      database_,
      "SELECT key, attempt, scenario, content, kernel, build, points, cpus, seed, verdict, reason, accel, "
      "ended, "
      "seconds, boot_seconds, loads, directory, repro FROM run WHERE campaign = ? ORDER BY number");
  rows.bind(campaign);
  std::vector<Run> runs;
  for (Result<bool> row = rows.step(); !row || *row; row = rows.step()) {
    if (!row) return pass_on(row);
    runs.push_back(run_at(rows));
  }
  std::map<std::pair<std::string, std::int64_t>, Run*> by_key;
  for (Run& run : runs) by_key[{run.key, run.attempt}] = &run;
  if (const Result<void> read = read_details(campaign, by_key); !read) return pass_on(read);
  return runs;
}

Result<std::map<std::string, Last>> History::last_runs() {
  Statement rows(database_, "SELECT key, content, verdict FROM run ORDER BY campaign, attempt DESC");
  std::map<std::string, Last> last;
  while (true) {
    const Result<bool> row = rows.step();
    if (!row) return pass_on(row);
    if (!*row) return last;
    Run run;
    run.outcome = parse_outcome(rows.text(2));
    last[rows.text(0)] = {rows.text(1), run.is_bad()};  // the first attempt of the last campaign stays
  }
}

Result<std::vector<Sighting>> History::sightings() {
  Statement rows(
      database_,
      "SELECT fingerprint, min(rule), min(part), count(DISTINCT run.number), min(campaign), max(campaign), "
      "group_concat(DISTINCT build) FROM finding JOIN run ON run.number = finding.run WHERE violation "
      "GROUP BY fingerprint ORDER BY max(campaign) DESC, fingerprint");
  std::vector<Sighting> sightings;
  while (true) {
    const Result<bool> row = rows.step();
    if (!row) return pass_on(row);
    if (!*row) return sightings;
    sightings.push_back({rows.text(0), rows.text(1), rows.text(2), rows.number(3), rows.number(4),
                         rows.number(5), rows.text(6)});
  }
}

Result<std::vector<Total>> History::totals(std::string_view sql) {
  Statement rows(database_, sql);
  std::vector<Total> totals;
  while (true) {
    const Result<bool> row = rows.step();
    if (!row) return pass_on(row);
    if (!*row) return totals;
    totals.push_back({rows.text(0), rows.text(1), rows.text(2), rows.real(3)});
  }
}

Result<std::vector<Total>> History::totals_of_counters() {
  return totals(
      "SELECT campaign.name, kernel, number.name, sum(value) FROM number JOIN run ON run.number = number.run "
      "JOIN campaign ON campaign.number = run.campaign WHERE kind = 'counter' GROUP BY 1, 2, 3 ORDER BY 1, "
      "2, 3");
}

Result<std::vector<Total>> History::totals_of_runs() {
  return totals(
      "SELECT campaign.name, kernel, verdict, count(*) FROM run JOIN campaign ON campaign.number = "
      "run.campaign "
      "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
}

Result<std::vector<Total>> History::totals_of_violations() {
  return totals(
      "SELECT campaign.name, kernel, rule, count(*) FROM finding JOIN run ON run.number = finding.run "
      "JOIN campaign ON campaign.number = run.campaign WHERE violation GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
}

Result<std::vector<Total>> History::total_loads() {
  return totals(
      "SELECT campaign.name, kernel, '', sum(loads) FROM run JOIN campaign ON campaign.number = run.campaign "
      "GROUP BY 1, 2 ORDER BY 1, 2");
}

Result<Campaign> find_campaign(History& history, const std::string& name) {
  const Result<std::vector<Campaign>> campaigns = history.campaigns();
  if (!campaigns) return pass_on(campaigns);
  if (campaigns->empty()) return fail(Blame::kScenario, "the history holds no campaign yet");
  std::size_t back = 0;
  const bool counted =
      name == "last" ||
      (name.starts_with("last-") &&
       std::from_chars(name.data() + 5, name.data() + name.size(), back).ptr == name.data() + name.size() &&
       name.size() > 5);
  if (counted && back < campaigns->size()) return (*campaigns)[campaigns->size() - 1 - back];
  for (const Campaign& campaign : *campaigns) {
    if (std::to_string(campaign.number) == name || campaign.id == name) return campaign;
  }
  return fail(Blame::kScenario,
              "no campaign \"{}\" in the history; use a number from 1 to {}, an id, last or last-1", name,
              campaigns->back().number);
}

}  // namespace luf::history
