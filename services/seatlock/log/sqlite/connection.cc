#include "services/seatlock/log/sqlite/connection.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace seatlock::log {
namespace {

// How long a statement waits for another process that holds the file's lock, such as somebody's
// sqlite3 shell or a backup. Ours never wait for each other that long.
constexpr int kBusyTimeoutMs = 2000;

absl::Status ErrorOf(sqlite3* db, std::string_view what) {
  const int code = sqlite3_extended_errcode(db);
  const std::string message = absl::StrCat(absl::string_view(what.data(), what.size()), ": ",
                                           sqlite3_errmsg(db), " (", code, ")");
  const int primary = code & 0xff;
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    return absl::DataLossError(absl::StrCat("the file is damaged: ", sqlite3_errmsg(db)));
  }
  return absl::UnavailableError(message);
}

}  // namespace

absl::StatusOr<Connection> Connection::Open(const std::string& path, const std::string& vfs,
                                            Mode mode) {
  const int create = mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0;
  return OpenFlags(path, vfs,
                   mode == Mode::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | create);
}

absl::StatusOr<Connection> Connection::OpenMainAlone(const std::string& path,
                                                     const std::string& vfs) {
  const std::string escaped = absl::StrReplaceAll(path, {{"%", "%25"}, {"?", "%3f"}, {"#", "%23"}});
  // "file:" and "//" would begin the name of a host.
  const char* scheme = path.starts_with('/') ? "file://" : "file:";
  return OpenFlags(scheme + escaped + "?immutable=1", vfs, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

absl::StatusOr<Connection> Connection::OpenFlags(const std::string& name, const std::string& vfs,
                                                 int flags) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX,
                                   vfs.empty() ? nullptr : vfs.c_str());
  if (db == nullptr) return absl::UnavailableError("open " + name + ": out of memory");
  Connection connection(db);  // to be closed even where opening failed
  if (code != SQLITE_OK) return ErrorOf(db, "open " + name);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusyTimeoutMs);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return connection;
}

absl::Status Connection::Exec(const char* sql) {
  if (sqlite3_exec(get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Error(sql);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Connection::Int(const char* sql) {
  absl::StatusOr<Statement> statement = Statement::Prepare(*this, sql);
  if (!statement.ok()) return statement.status();
  Query query(*statement);
  absl::StatusOr<bool> row = query.Step();
  if (!row.ok()) return row.status();
  if (!*row) return absl::UnavailableError(absl::StrCat(sql, ": no answer"));
  return query.IntAt(0);
}

absl::Status Connection::Error(std::string_view what) const {
  return ErrorOf(get(), what);
}

bool Connection::IsBusy() const {
  return (sqlite3_errcode(get()) & 0xff) == SQLITE_BUSY;
}

void Connection::CheckpointOnClose() {
  sqlite3_db_config(get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

absl::StatusOr<Statement> Statement::Prepare(const Connection& connection, std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  const int code = sqlite3_prepare_v3(connection.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  if (code != SQLITE_OK) return connection.Error(sql);
  Statement statement;
  statement.stmt_.reset(stmt);
  return statement;
}

absl::StatusOr<bool> Query::Step() {
  const int code = bind_code_ == SQLITE_OK ? sqlite3_step(stmt_) : bind_code_;
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ErrorOf(sqlite3_db_handle(stmt_), sqlite3_sql(stmt_));
}

absl::Status Query::Run() {
  return Step().status();
}

std::string_view Query::BytesAt(int column) const {
  const void* data = sqlite3_column_blob(stmt_, column);
  const int size = sqlite3_column_bytes(stmt_, column);
  return data == nullptr ? std::string_view()
                         : std::string_view(static_cast<const char*>(data), size);
}

}  // namespace seatlock::log
