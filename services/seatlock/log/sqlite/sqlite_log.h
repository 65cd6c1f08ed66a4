// The log in a SQLite file: one process, one disk, nothing else to run.
//
// Thread-safe; calls back on the writer's thread (appends, snapshots, trimming, recovery)
// or the reader's (the rest). The writer makes one transaction and one fsync of all that
// waits (group commit), then calls back for each. Where a commit may have failed nothing is
// guessed: the outcome is unknown, the file is closed without touching it (after a failed fsync the
// page cache may show what the disk lacks), opened anew, and all that it shows is written to the
// disk once more before anybody hears of it. Until that succeeds every call is answered
// UNAVAILABLE; each call tries again, at most every 100 ms.
//
// Beside UNAVAILABLE and DATA_LOSS (what is noticed: reader.h): RESOURCE_EXHAUSTED, turned away,
// for too much waits already.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
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
#include "services/seatlock/log/sqlite/limits.h"
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
  };

  // Opens the file, making it where it is not there, and writes to the disk what a process that
  // died has left half written. Blocks. Reads no showtime. FAILED_PRECONDITION: the file is in use,
  // no store of ours, or of a newer version. UNAVAILABLE: it cannot be opened or written.
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
  std::string Generation() const override { return generation_; }
  bool Healthy() const override { return healthy_.load(); }

 private:
  SqliteLog(Options options, FileLock lock);

  // The writer's thread.
  void Write();
  void WriteBatch(std::vector<Job>& batch);
  // Does every job's work; an error means that the transaction must be rolled back.
  absl::Status DoAll(std::vector<Job>& batch);
  absl::Status Do(AppendJob& job);
  absl::Status Do(SnapshotJob& job);
  absl::Status Do(TrimJob& job);
  absl::Status Do(RecoverJob&) { return absl::OkStatus(); }
  // Gives every job the same failure.
  void FailAll(std::vector<Job>& batch, AppendResult::Outcome outcome, const absl::Status& error);
  void Report(const absl::Status& status);
  void CallBack(std::vector<Job>& batch);
  // Closes the file. Nothing is read or written until EnsureOpen has succeeded.
  void Break();
  absl::Status EnsureOpen();
  absl::Status Reopen();

  void Submit(Job job);
  // Runs `read` on the reader's thread and hands its result to `done`.
  template <typename T, typename Callback>
  void OnReader(Callback done, std::function<absl::StatusOr<T>(ReadSession&)> read);
  // Has the writer try to open the file again, for a read found it closed.
  void NudgeReopen();

  const Options options_;
  const FileLock lock_;
  std::string generation_;  // set by Open alone

  SubmitQueue queue_;
  std::atomic<bool> healthy_{true};
  std::atomic<bool> nudged_{false};
  std::atomic<size_t> reads_waiting_{0};

  base::Mutex reader_mu_;  // held for the length of one page
  std::unique_ptr<ReadSession> reader_ ABSL_GUARDED_BY(reader_mu_);

  // The writer's thread alone.
  std::unique_ptr<WriteSession> writer_;  // nullptr: broken
  absl::Status broken_;
  int64_t next_reopen_ms_ = 0;

  std::unique_ptr<base::ThreadExecutor> reader_thread_;
  std::thread writer_thread_;
};

}  // namespace seatlock::log
