// SQLite, as this program uses it: errors are results, statements end with their scope.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace luf::history {

class Database;

/// One prepared statement. A failed bind or step is told by the next `step`. Thread: one. The database outlives it.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// Values for the parameters, from the first on.
  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t number);
  Statement& bind(double number);

  /// True: there is a row. Errors: infra.
  Result<bool> step();
  /// For statements that give no rows. Errors: infra.
  Result<void> run();

  std::string text(int column) const;
  std::int64_t number(int column) const;
  double real(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
  int parameter_ = 0;
  int code_ = 0;
};

/// An open file. Thread: one.
class Database {
 public:
  /// Waits up to 10 s for another program's transaction, then and in every later call. Errors: infra, one line that
  /// names the file: missing, damaged, not a database.
  static Result<Database> open(const std::filesystem::path& file, bool create);

  /// Statements without values. Errors: infra.
  Result<void> execute(const std::string& sql);
  /// The first column of the first row, as text. Errors: infra.
  Result<std::string> value_of(std::string_view sql);

  /// The last failure in one line that says what to do. A damaged file and a full disk are named as such.
  Error error() const;

 private:
  friend class Statement;
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  explicit Database(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// Begins a transaction; what was not committed is undone at the end of the scope.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };
  explicit Transaction(Database& database, Kind kind = Kind::kWrite)
      : database_(database), begun_(database.execute(kind == Kind::kRead ? "BEGIN" : "BEGIN IMMEDIATE")) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  /// Errors: infra, also when it could not be begun.
  Result<void> commit();

 private:
  Database& database_;
  Result<void> begun_;
  bool done_ = false;
};

}  // namespace luf::history
