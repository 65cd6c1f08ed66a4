// SQLite's C interface with owners: connections, statements, and rows as they are stepped through.
//
// Thread-compatible: one thread at a time uses a connection and what was made from it. Errors are
// UNAVAILABLE, or DATA_LOSS where SQLite finds that the file is no sound database.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seatlock::log {

class Connection {
 public:
  enum class Mode {
    kCreate,    // makes the file where it is not there
    kExisting,  // the file must be there
    kRead,      // the same; writes nothing
  };
  // Opens the database file. `vfs` empty: SQLite's default. Closing never checkpoints, unless
  // CheckpointOnClose was called: after a failed fsync a checkpoint might make durable what callers
  // were told is not.
  static absl::StatusOr<Connection> Open(const std::string& path, const std::string& vfs,
                                         Mode mode);

  // Opens the main file as if it had no write-ahead log. For a look before anybody uses it.
  static absl::StatusOr<Connection> OpenMainAlone(const std::string& path, const std::string& vfs);

  // Runs statements without results.
  absl::Status Exec(const char* sql);

  // The one integer that `sql` gives.
  absl::StatusOr<int64_t> Int(const char* sql);

  // The error of the last call, which `what` says: "append: disk I/O error (778)".
  absl::Status Error(std::string_view what) const;

  // Whether the last call failed because another program holds a lock.
  bool IsBusy() const;

  // The last close may checkpoint and remove the write-ahead log.
  void CheckpointOnClose();

  sqlite3* get() const { return db_.get(); }

 private:
  struct Closer {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };

  explicit Connection(sqlite3* db) : db_(db) {}

  static absl::StatusOr<Connection> OpenFlags(const std::string& name, const std::string& vfs,
                                              int flags);

  std::unique_ptr<sqlite3, Closer> db_;
};

// A prepared statement. The connection outlives it.
class Statement {
 public:
  Statement() = default;

  static absl::StatusOr<Statement> Prepare(const Connection& connection, std::string_view sql);

 private:
  friend class Query;

  struct Finalizer {
    void operator()(sqlite3_stmt* stmt) const { sqlite3_finalize(stmt); }
  };

  std::unique_ptr<sqlite3_stmt, Finalizer> stmt_;
};

// One run of a statement: bind from 1 upwards, step, read columns from 0 upwards. What is bound
// outlives the query; what is read lives until the next step.
class Query {
 public:
  explicit Query(Statement& statement) : stmt_(statement.stmt_.get()) {}
  ~Query() { sqlite3_reset(stmt_); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& Int(int64_t value) { return Bound(sqlite3_bind_int64(stmt_, next_, value)); }
  Query& Null() { return Bound(sqlite3_bind_null(stmt_, next_)); }
  Query& Text(std::string_view value) {
    return Bound(
        sqlite3_bind_text64(stmt_, next_, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  // A null pointer would bind NULL, so empty bytes are given an address.
  Query& Blob(std::string_view value) {
    const char* data = value.empty() ? "" : value.data();
    return Bound(sqlite3_bind_blob64(stmt_, next_, data, value.size(), SQLITE_STATIC));
  }

  // True: a row is there. False: no more.
  absl::StatusOr<bool> Step();
  // Steps a statement that gives no rows.
  absl::Status Run();

  bool IsNull(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }
  int64_t IntAt(int column) const { return sqlite3_column_int64(stmt_, column); }
  std::string_view BytesAt(int column) const;

 private:
  Query& Bound(int code) {
    if (bind_code_ == SQLITE_OK) bind_code_ = code;
    ++next_;
    return *this;
  }

  sqlite3_stmt* const stmt_;
  int next_ = 1;
  int bind_code_ = SQLITE_OK;
};

}  // namespace seatlock::log
