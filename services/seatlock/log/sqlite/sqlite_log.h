// The log in a SQLite file: one process, one disk, nothing else to run.
//
// Thread-safe; calls back on the writer's thread (appends, snapshots, trimming, recovery) or the
// reader's (the rest). The writer makes one transaction and one fsync of all appends that wait
// (group commit), then calls back for each. When it has nothing to do it looks around once a second
// and tries the store with a small commit, so that Healthy() is news of the last seconds.
//
// What happens when something fails:
//
//   | what                                 | reads | the jobs        | then              |
//   |--------------------------------------|-------|-----------------|-------------------|
//   | another program holds the write lock | go on | not done        | the next tries    |
//   | an error before COMMIT               | go on | not done        | opened anew       |
//   | the same of what nobody waits for    | go on | not done        | the next tries    |
//   | COMMIT fails                         | stop  | outcome unknown | opened anew       |
//   | the file is gone from its path       | go on | outcome unknown | until it is back  |
//   | its -wal or -shm is gone             | stop  | done, if moved  | opened anew       |
//   | the file was overwritten             | stop  | outcome unknown | until it is right |
//   | the lock file is gone                | stop  | done, if locked | opened anew       |
//
// Opening anew (wal.h) makes certain that all that is shown is on the disk: after a failed fsync
// the page cache may show what the disk lacks. Until it succeeds every write is answered
// UNAVAILABLE; each call and each idle second tries again, at most every 100 ms.
//
// Beside UNAVAILABLE and DATA_LOSS (what is noticed: reader.h): RESOURCE_EXHAUSTED, turned away,
// for too much waits already; the store is as well as before.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "services/seatlock/log/showtime_log.h"
#include "services/seatlock/log/sqlite/file_lock.h"
#include "services/seatlock/log/sqlite/files.h"
#include "services/seatlock/log/sqlite/limits.h"
#include "services/seatlock/log/sqlite/mark.h"
#include "services/seatlock/log/sqlite/opening.h"
#include "services/seatlock/log/sqlite/reader.h"
#include "services/seatlock/log/sqlite/schema.h"
#include "services/seatlock/log/sqlite/submit_queue.h"
#include "services/seatlock/log/sqlite/write_session.h"

namespace seatlock::log {

// One transaction that was committed.
struct CommitStats {
  size_t appends = 0;      // asked for in it, conflicts among them
  int64_t latency_us = 0;  // from BEGIN until it was durable
};

class SqliteLog final : public ShowtimeLog {
 public:
  struct Options {
    std::string path;
    std::string vfs;  // empty: SQLite's default
    Durability durability = Durability::kFull;
    size_t queue_bytes_max = kQueueBytesMaxDefault;
    int checkpoint_pages = kCheckpointPagesDefault;
    const base::Clock* clock = &base::SystemClock();
    std::function<void(const CommitStats&)> on_commit;  // on the writer's thread; may be empty
    // Why a transaction, a read or opening anew has failed, for operators; callers hear less. On
    // the writer's or the reader's thread; may be empty.
    std::function<void(const absl::Status&)> on_error;
    // Called by Open where the history counts as another one from now on, with the reason, or where
    // files were moved aside. May be empty.
    std::function<void(const std::string&)> on_notice;
  };

  // Opens the file, making it where it is not there, and writes to the disk what a process that
  // died has left half written. Blocks; readers of the file do not hinder it. Reads no showtime.
  // FAILED_PRECONDITION: the file is in use, no store of ours, of a newer version, or in the midst
  // of a restore. UNAVAILABLE: it cannot be opened or written.
  static absl::StatusOr<std::unique_ptr<SqliteLog>> Open(Options options);
  ~SqliteLog() override;

  void Append(AppendRequest request, AppendCallback done) override;
  void Read(domain::ShowtimeId showtime, domain::Revision from, size_t max_records,
            PageCallback done) override;
  void Load(domain::ShowtimeId showtime, LoadCallback done) override;
  void SaveSnapshot(domain::ShowtimeId showtime, StoredSnapshot snapshot,
                    StatusCallback done) override;
  void Trim(domain::ShowtimeId showtime, int64_t before_ms, uint64_t keep,
            StatusCallback done) override;
  void Due(int64_t now_ms, size_t limit, DueCursor after, DueCallback done) override;
  void Recover(StatusCallback done) override;
  void List(domain::ShowtimeId after, size_t limit, ListCallback done) override;
  void Delete(domain::ShowtimeId showtime, StatusCallback done) override;
  std::string Generation() const override { return generation_; }
  int64_t LatestCommitMs() const override { return latest_commit_ms_; }
  bool Healthy() const override { return healthy_.load(); }
  uint64_t Returns() const override { return returns_.load(); }
  size_t QueuedBytes() const override { return queue_.bytes(); }
  // As of the last commit.
  size_t WalBytes() const override { return wal_bytes_.load(std::memory_order_relaxed); }

 private:
  // `given` is the path as the caller named it, Options::path the file's one name.
  SqliteLog(Options options, std::string given, FileLock lock);

  // The writer's thread.
  void Write();
  void WriteBatch(std::vector<Job>& batch);
  // Runs the transaction and gives every job its result.
  absl::Status Transact(std::vector<Job>& batch);
  // After a commit and before it is told: keeps the mark, and looks whether the files are still
  // ours. An error: what was committed cannot be found under the store's name any more.
  absl::Status AfterCommit();
  void Checkpoint();
  // Nothing has come for a while.
  void Idle();
  // Whether the store can be written, found out by a small commit. If it cannot, the file is opened
  // anew for reading.
  void TryStore();
  // Does every job's work; an error means that the transaction must be rolled back.
  absl::Status DoAll(std::vector<Job>& batch);
  absl::Status Do(AppendJob& job);
  absl::Status Do(SnapshotJob& job);
  absl::Status Do(TrimJob& job);
  absl::Status Do(RecoverJob&) { return absl::OkStatus(); }
  absl::Status Do(DeleteJob& job);
  absl::Status Do(ClearJob& job);
  // Gives every job the same failure.
  void FailAll(std::vector<Job>& batch, AppendResult::Outcome outcome, const absl::Status& error);
  void Report(const absl::Status& status);
  static absl::Status BeingOpened();
  void CallBack(std::vector<Job>& batch);
  template <typename AnyJob>
  void CallBack(AnyJob& job);
  void CallBack(TrimJob& job);
  void CallBack(DeleteJob& job);
  void CallBack(ClearJob& job);
  void SetHealthy(bool healthy);
  // Closes the file. Nothing is written until EnsureOpen has succeeded, and nothing read unless
  // `reads_go_on`.
  void Break(bool reads_go_on);
  // OK: writer_ is there.
  absl::Status EnsureOpen();
  absl::Status Reopen();
  // The first Reopen: judges the file.
  absl::Status Judge(Opening& opening, Connection& connection, int64_t found);
  // Later ones: whether the file is as this log left it.
  absl::Status CheckUnchanged(const Connection& connection) const;
  // Whether the database file, which somebody else wrote, still is this log's.
  absl::Status CheckContent() const;
  // Mends what Look() found, if it can be mended: then the file is to be opened anew. Otherwise why
  // not.
  absl::Status Mend(const StoreFiles::Changes& changes);
  absl::Status MendAll(StoreFiles::Changes changes);
  absl::Status MoveRemovedWal();
  absl::Status TakeLockAgain();
  // Raises the mark to `commits_`, and to `floor` in the main file.
  void KeepMark(uint64_t floor);
  void SetAway(const absl::Status& status);

  void Submit(Job job);
  // Runs `read` on the reader's thread and hands its result to `done`.
  template <typename T, typename Callback>
  void OnReader(Callback done, std::function<absl::StatusOr<T>(ReadSession&)> read);
  // Has the writer try to open the file again, for a read found it closed.
  void NudgeReopen();

  const Options options_;
  std::string generation_;        // set by Open alone
  int64_t latest_commit_ms_ = 0;  // set by Open alone

  SubmitQueue queue_;
  std::atomic<bool> healthy_{true};  // set by SetHealthy
  std::atomic<uint64_t> returns_{0};
  std::atomic<size_t> wal_bytes_{0};
  std::atomic<bool> nudged_{false};
  std::atomic<size_t> reads_waiting_{0};

  base::Mutex reader_mu_;  // held for the length of one page
  std::unique_ptr<ReadSession> reader_ ABSL_GUARDED_BY(reader_mu_);

  // The writer's thread alone.
  FileLock lock_;
  StoreFiles files_;
  std::optional<Mark> mark_;              // none before Open has ended
  std::optional<Opening> opening_;        // while Open runs
  std::unique_ptr<WriteSession> writer_;  // nullptr: closed, `broken_` says why
  absl::Status broken_;
  absl::Status away_;  // not OK: the files are not where they should be
  int64_t next_reopen_ms_ = 0;
  int64_t last_commit_ms_ = 0;
  uint64_t commits_ = 0;    // that were made for certain
  bool unsettled_ = false;  // one more may have been made
  // What deleted showtimes had may still be there.
  bool deleted_left_ = false;

  std::unique_ptr<base::ThreadExecutor> reader_thread_;
  std::thread writer_thread_;
};

}  // namespace seatlock::log
