// Opens a store's file for the one process that serves it, and notices whether it has gone back.
//
// A file that was put back to an earlier state is a history of its own from there on: it gets
// another generation. So does one whose mark (mark.h) is missing, for nobody can tell. A crash or a
// power cut leaves the mark at or below what the file holds, and renews nothing.
//
// What all this rests on: while a store is served, and so whenever it was, its main file alone,
// read without the write-ahead log, is of the present version and carries the generation that is
// served. A mark is made only after that. So a main file that says otherwise than its mark was put
// there by somebody else, and a write-ahead log beside it is not its own.
//
// Bound to one thread. The lock on the store is held.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/sqlite/connection.h"
#include "services/seatlock/log/sqlite/mark.h"
#include "services/seatlock/log/sqlite/schema.h"

namespace seatlock::log {

class Opening {
 public:
  // Looks at the files before anybody opens them. A write-ahead log that was left beside a database
  // file that is not its own is moved aside: SQLite would mix the two. FAILED_PRECONDITION: a
  // restore has not ended.
  static absl::StatusOr<Opening> Look(const std::string& path, const std::string& vfs);

  // Judges what was opened, gives it another generation if it has gone back, and makes its mark.
  // `found` is OpenStore's; all that `connection` shows is on the disk.
  absl::StatusOr<Mark> Finish(Connection& connection, int64_t found);

  // What an operator should hear; empty for nothing. After Finish.
  const std::string& notice() const { return notice_; }

 private:
  explicit Opening(std::string path) : path_(std::move(path)) {}

  // The version of the main file, read without its write-ahead log; 0 where there is none.
  int64_t MainVersion(const std::string& vfs) const;
  // Whether the main file, of the present version, is not the one that the write-ahead log is of.
  bool WalIsAnothers(const std::string& vfs) const;
  absl::Status MoveWalAside();
  // Makes what the rest relies on (above) true of the file that is open.
  absl::Status Settle(Connection& connection, const Meta* renewed);
  // Why the history may be another one; empty for no reason.
  std::string WhyRenew(const Meta& meta) const;

  std::string path_;
  bool had_mark_file_ = false;
  std::optional<MarkRecord> mark_;
  bool had_wal_ = false;
  std::string notice_;
};

// `meta` with another generation, as a store in use.
Meta Renewed(Meta meta);

}  // namespace seatlock::log
