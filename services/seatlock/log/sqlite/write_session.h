// The one connection that writes: what a transaction does, and what the writer remembers.
//
// Bound to the writer's thread. It remembers key, epoch, head and wake time of the showtimes that
// were written last, so that an append of one record is one INSERT: nobody else writes the file
// (FileLock).
//
// Errors: UNAVAILABLE, and then the session must be rolled back or destroyed. Any other error is
// of this one call, which has written nothing, and touches nothing else in the transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/showtime_log.h"
#include "services/seatlock/log/sqlite/connection.h"
#include "services/seatlock/log/sqlite/limits.h"
#include "services/seatlock/log/sqlite/reader.h"

namespace seatlock::log {

class WriteSession {
 public:
  // Takes a connection that shows only what is on the disk for certain (wal.h).
  static absl::StatusOr<std::unique_ptr<WriteSession>> Create(Connection connection,
                                                              int checkpoint_pages);

  WriteSession(const WriteSession&) = delete;
  WriteSession& operator=(const WriteSession&) = delete;

  // FAILED_PRECONDITION: another program holds the write lock; the session is as it was.
  absl::Status Begin();
  // Counts the commit where something was changed.
  absl::Status Commit();
  // Undoes what was done since Begin, after an error before Commit: the session is as it was then.
  // Not after an Append: that has raised latest_ms().
  absl::Status Rollback();
  // A commit that changes nothing of use: whether the store can be written. Errors as Begin's.
  absl::Status Probe();

  // How many commits the store holds. After a Commit that failed, perhaps one more.
  uint64_t commits() const { return commits_; }
  // The commit time of the newest change that was ever written.
  int64_t latest_ms() const { return latest_ms_; }

  // kAppended or kConflict. `request` was verified (verify.h).
  absl::StatusOr<AppendResult> Append(const AppendRequest& request);

  absl::Status SaveSnapshot(const domain::ShowtimeId& showtime, const StoredSnapshot& snapshot);

  // Forgets at most kTrimRecordsMax records; `more` tells whether others are left to forget.
  absl::Status Trim(const domain::ShowtimeId& showtime, int64_t before_ms, uint64_t keep,
                    bool& more);

  // From now on there is no such showtime. What it had is still stored, for ClearDeleted.
  absl::Status Delete(const domain::ShowtimeId& showtime);
  // Clears away what deleted showtimes had, at most kTrimRecordsMax records or one snapshot of one
  // of them; `more` tells whether anything is left.
  absl::Status ClearDeleted(bool& more);
  // Whether ClearDeleted has something to do.
  absl::StatusOr<bool> HasDeleted();

  // How long the write-ahead log was after the last commit.
  size_t wal_bytes() const { return static_cast<size_t>(wal_pages_) * kWalFrameBytes; }
  // Whether the write-ahead log has grown by `checkpoint_pages`.
  bool NeedsCheckpoint();
  // Moves what the write-ahead log holds into the database file; waits for no reader. True: the
  // database file now holds all by itself.
  absl::StatusOr<bool> Checkpoint();

  Reader& reader() { return reader_; }
  Connection& connection() { return connection_; }

 private:
  struct Known {
    ShowtimeRow row;
    Head head;
  };

  WriteSession(Connection connection, Reader reader, int checkpoint_pages);

  absl::Status PrepareAll();
  absl::Status WriteCommits(uint64_t commits);
  // nullptr: a showtime without records. Valid until the next call.
  absl::StatusOr<Known*> Find(const domain::ShowtimeId& showtime);
  Known* Remember(const domain::ShowtimeId& showtime, Known known);
  absl::StatusOr<AppendResult> ConflictOf(const AppendRequest& request, const Known* known);
  absl::Status InsertShowtime(const AppendRequest& request, Known& known);
  absl::Status InsertRecords(int64_t key, const AppendRequest& request);
  absl::Status UpdateWake(const AppendRequest& request, ShowtimeRow& row);
  // The key of a deleted showtime whose row is still there.
  absl::StatusOr<std::optional<int64_t>> DeletedKey();
  absl::StatusOr<domain::Revision> TrimTarget(const domain::ShowtimeId& showtime,
                                              const Known& known, int64_t before_ms, uint64_t keep);

  const int checkpoint_pages_;
  Connection connection_;
  Reader reader_;
  Statement begin_;
  Statement commit_;
  Statement insert_showtime_;
  Statement update_wake_;
  Statement insert_record_;
  Statement insert_snapshot_;
  Statement drop_snapshots_;
  Statement trim_bound_;
  Statement trim_;
  Statement update_base_;
  Statement update_commits_;
  Statement probe_;
  Statement delete_;
  Statement deleted_key_;
  Statement clear_records_;
  Statement clear_snapshot_;
  Statement clear_showtime_;
  int wal_pages_ = 0;           // set by SQLite's hook at each commit
  int checkpoint_at_;           // the size of wal_pages_ that is worth the next checkpoint
  int checkpointed_pages_ = 0;  // wal_pages_ at the last one
  uint64_t commits_ = 0;
  int64_t latest_ms_ = 0;
  int changes_before_ = 0;  // SQLite's count of changed rows when the transaction began
  absl::flat_hash_map<domain::ShowtimeId, Known> known_;
};

}  // namespace seatlock::log
