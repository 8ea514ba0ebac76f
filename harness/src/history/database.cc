#include "history/database.h"

#include <sqlite3.h>

namespace luf::history {
namespace {

constexpr int kPatienceMs = 10'000;

}  // namespace

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close(handle); }

Result<Database> Database::open(const std::filesystem::path& file, bool create) {
  std::error_code ignored;
  if (!create && !std::filesystem::exists(file, ignored))
    return fail(Blame::kScenario, "no history {}: `lufbed campaign` makes one; or name it with --history",
                file.string());
  Database database(file);
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  database.handle_.reset(handle);
  if (code != SQLITE_OK) return tl::make_unexpected(database.error());
  sqlite3_busy_timeout(handle, kPatienceMs);
  // A commit is on the disk when it returns: a run that was told is never lost (docs/decisions/0007).
  const Result<void> set =
      database.execute("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  if (!set) return pass_on(set);
  return database;
}

Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return tl::make_unexpected(error());
}

Result<std::string> Database::value_of(std::string_view sql) {
  Statement statement(*this, sql);
  const Result<bool> row = statement.step();
  if (!row) return pass_on(row);
  return *row ? statement.text(0) : std::string();
}

Error Database::error() const {
  const int code = sqlite3_errcode(handle_.get()) & 0xff;
  const std::string file = file_.string();
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
    return {Blame::kInfra, fmt::format("the history {} is damaged: {}; put a copy back, or name another file "
                                       "with --history (nothing was written)",
                                       file, sqlite3_errmsg(handle_.get()))};
  if (code == SQLITE_FULL)
    return {Blame::kInfra, fmt::format("the disk of the history {} is full; free some space and run the same "
                                       "command again: what it holds is intact",
                                       file)};
  return {Blame::kInfra, fmt::format("the history {}: {}", file, sqlite3_errmsg(handle_.get()))};
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  code_ = sqlite3_prepare_v2(database.handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement_,
                             nullptr);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(std::string_view text) {
  if (code_ == SQLITE_OK)
    code_ = sqlite3_bind_text(statement_, ++parameter_, text.data(), static_cast<int>(text.size()),
                              SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, ++parameter_, number);
  return *this;
}

Statement& Statement::bind(double number) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_double(statement_, ++parameter_, number);
  return *this;
}

Result<bool> Statement::step() {
  if (code_ == SQLITE_OK || code_ == SQLITE_ROW) code_ = sqlite3_step(statement_);
  if (code_ == SQLITE_ROW) return true;
  if (code_ == SQLITE_DONE) return false;
  return tl::make_unexpected(database_.error());
}

Result<void> Statement::run() {
  const Result<bool> done = step();
  if (!done) return pass_on(done);
  return {};
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr
             ? std::string()
             : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

Transaction::~Transaction() {
  if (begun_ && !done_) static_cast<void>(database_.execute("ROLLBACK"));
}

Result<void> Transaction::commit() {
  if (!begun_) return begun_;
  Result<void> committed = database_.execute("COMMIT");
  done_ = committed.has_value();
  return committed;
}

}  // namespace luf::history
