#include "services/seatlock/log/sqlite/sqlite_log.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include "services/seatlock/log/verify.h"

namespace seatlock::log {

using domain::Revision;
using domain::ShowtimeId;
using Outcome = AppendResult::Outcome;

namespace {

absl::Status TooMuchWaits() {
  return absl::ResourceExhaustedError("the store has too much waiting for it");
}

AppendResult NotAppended(absl::Status status) {
  AppendResult result;
  result.status = std::move(status);
  return result;
}

// What nobody waits for: if it fails, the next append or probe tells whether the store is well.
bool IsUpkeep(const std::vector<Job>& batch) {
  return std::holds_alternative<SnapshotJob>(batch.front()) ||
         std::holds_alternative<TrimJob>(batch.front()) ||
         std::holds_alternative<ClearJob>(batch.front());
}

void Fail(Job& job, const absl::Status& status) {
  std::visit(
      [&status](auto& each) {
        if constexpr (std::is_same_v<decltype(each), AppendJob&>) {
          std::move(each.done)(NotAppended(status));
        } else if constexpr (requires { each.done; }) {
          std::move(each.done)(status);
        }
      },
      job);
}

// What a caller hears of `status`: what cannot be done, without the statement that failed.
absl::Status Plain(const absl::Status& status, const std::string& what) {
  if (!absl::IsUnavailable(status)) return status;
  const bool full = status.message().find("disk is full") != absl::string_view::npos;
  return absl::UnavailableError(what + (full ? ": the disk is full" : ""));
}

// The one name of the file, so that everybody locks the same whatever links they came by.
absl::StatusOr<std::string> RealPath(const std::string& path) {
  if (path.empty() || path.front() == ':' || path.rfind("file:", 0) == 0) {
    return absl::FailedPreconditionError("the store must be a file: '" + path +
                                         "' is no plain path");
  }
  std::error_code error;
  if (std::filesystem::is_symlink(path, error) && !std::filesystem::exists(path, error)) {
    return absl::FailedPreconditionError(path + " is a link to a file that is not there");
  }
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  if (error) return absl::UnavailableError("cannot resolve " + path + ": " + error.message());
  return real.string();
}

}  // namespace

SqliteLog::SqliteLog(Options options, std::string given, FileLock lock)
    : options_(std::move(options)),
      queue_(options_.queue_bytes_max),
      lock_(std::move(lock)),
      files_(options_.path, std::move(given)) {}

absl::StatusOr<std::unique_ptr<SqliteLog>> SqliteLog::Open(Options options) {
  absl::StatusOr<std::string> path = RealPath(options.path);
  if (!path.ok()) return path.status();
  const std::string given = std::exchange(options.path, *std::move(path));
  absl::StatusOr<FileLock> lock = FileLock::Acquire(LockOf(options.path));
  if (!lock.ok()) return lock.status();
  absl::StatusOr<Opening> opening = Opening::Look(options.path, options.vfs);
  if (!opening.ok()) return opening.status();
  std::unique_ptr<SqliteLog> log(new SqliteLog(std::move(options), given, *std::move(lock)));
  log->opening_ = *std::move(opening);
  if (absl::Status status = log->Reopen(); !status.ok()) return status;
  const std::string& notice = log->opening_->notice();
  if (!notice.empty() && log->options_.on_notice) log->options_.on_notice(notice);
  log->opening_.reset();
  log->last_commit_ms_ = log->options_.clock->MonotonicMs();
  log->latest_commit_ms_ = log->writer_->latest_ms();
  if (log->deleted_left_) log->Submit(ClearJob{});
  log->reader_thread_ = std::make_unique<base::ThreadExecutor>();
  log->writer_thread_ = std::thread([log = log.get()] { log->Write(); });
  return log;
}

SqliteLog::~SqliteLog() {
  queue_.Stop();
  if (writer_thread_.joinable()) writer_thread_.join();
  reader_thread_.reset();
  {
    base::MutexLock lock(reader_mu_);
    reader_.reset();
  }
  // A file that is as it should be is left as one file, unless somebody else reads it; a broken one
  // is closed already. SQLite removes the write-ahead log by its name, so not if that is another's.
  const bool whole = writer_ != nullptr && !files_.Look(lock_).Any();
  if (whole) writer_->connection().CheckpointOnClose();
  writer_.reset();
  if (!mark_) return;
  const bool is_one_file = whole && SizeOf(WalOf(options_.path)) == 0;
  if (is_one_file) static_cast<void>(mark_->Write(commits_, commits_));
  mark_->Sync();
}

void SqliteLog::Append(AppendRequest request, AppendCallback done) {
  if (absl::Status status = VerifyAppend(request); !status.ok()) {
    std::move(done)(NotAppended(std::move(status)));
    return;
  }
  Submit(AppendJob{.request = std::move(request), .done = std::move(done), .result = {}});
}

void SqliteLog::SaveSnapshot(ShowtimeId showtime, StoredSnapshot snapshot, StatusCallback done) {
  Submit(SnapshotJob{.showtime = std::move(showtime),
                     .snapshot = std::move(snapshot),
                     .done = std::move(done),
                     .result = {}});
}

void SqliteLog::Trim(ShowtimeId showtime, int64_t before_ms, uint64_t keep, StatusCallback done) {
  TrimJob job;
  job.showtime = std::move(showtime);
  job.before_ms = before_ms;
  job.keep = keep;
  job.done = std::move(done);
  Submit(std::move(job));
}

void SqliteLog::Recover(StatusCallback done) {
  Submit(RecoverJob{.done = std::move(done), .result = {}});
}

void SqliteLog::Delete(ShowtimeId showtime, StatusCallback done) {
  Submit(DeleteJob{.showtime = std::move(showtime), .done = std::move(done), .result = {}});
}

void SqliteLog::Submit(Job job) {
  if (!queue_.Push(job)) Fail(job, TooMuchWaits());
}

// Reading -----------------------------------------------------------------------------------------

template <typename T, typename Callback>
void SqliteLog::OnReader(Callback done, std::function<absl::StatusOr<T>(ReadSession&)> read) {
  if (reads_waiting_.fetch_add(1) >= kReadsWaitingMax) {
    --reads_waiting_;
    std::move(done)(TooMuchWaits());
    return;
  }
  reader_thread_->Post([this, done = std::move(done), read = std::move(read)]() mutable {
    --reads_waiting_;
    absl::StatusOr<T> result = BeingOpened();
    bool closed = false;
    {
      base::MutexLock lock(reader_mu_);
      closed = reader_ == nullptr;
      if (!closed) result = read(*reader_);
    }
    if (closed) {
      NudgeReopen();
    } else if (!result.ok()) {
      Report(result.status());
      result = Plain(result.status(), "the store cannot be read now");
    }
    std::move(done)(std::move(result));
  });
}

void SqliteLog::Read(ShowtimeId showtime, Revision from, size_t max_records, PageCallback done) {
  OnReader<Page>(std::move(done),
                 [showtime = std::move(showtime), from, max_records](ReadSession& session) {
                   return session.Read(showtime, from, max_records);
                 });
}

void SqliteLog::Load(ShowtimeId showtime, LoadCallback done) {
  OnReader<LoadResult>(std::move(done), [showtime = std::move(showtime)](ReadSession& session) {
    return session.Load(showtime);
  });
}

void SqliteLog::Due(int64_t now_ms, size_t limit, DueCursor after, DueCallback done) {
  OnReader<std::vector<DueShowtime>>(
      std::move(done), [now_ms, limit, after = std::move(after)](ReadSession& session) {
        return session.Due(now_ms, limit, after);
      });
}

void SqliteLog::List(ShowtimeId after, size_t limit, ListCallback done) {
  OnReader<std::vector<ListedShowtime>>(std::move(done),
                                        [after = std::move(after), limit](ReadSession& session) {
                                          return session.List(after, limit);
                                        });
}

void SqliteLog::NudgeReopen() {
  if (nudged_.exchange(true)) return;
  Submit(RecoverJob{.done = [this](const absl::Status&) { nudged_ = false; }, .result = {}});
}

// Writing -----------------------------------------------------------------------------------------

void SqliteLog::Write() {
  while (std::optional<std::vector<Job>> batch = queue_.Take(std::chrono::milliseconds(kIdleMs))) {
    if (batch->empty()) {
      Idle();
    } else {
      WriteBatch(*batch);
    }
  }
}

void SqliteLog::WriteBatch(std::vector<Job>& batch) {
  absl::Status status = EnsureOpen();
  if (!status.ok() || std::holds_alternative<RecoverJob>(batch.front())) {
    FailAll(batch, Outcome::kNotAppended, status);  // a RecoverJob that comes this far may get OK
    CallBack(batch);
    return;
  }
  status = Transact(batch);
  if (!status.ok() && away_.ok()) Report(status);  // what is away was said when it was found so
  if (status.ok() || !IsUpkeep(batch)) {
    // Files that were mended are to be opened anew.
    SetHealthy(status.ok() && writer_ != nullptr);
  }
  CallBack(batch);
  if (status.ok() && EnsureOpen().ok() && writer_->NeedsCheckpoint()) Checkpoint();
}

void SqliteLog::Checkpoint() {
  // What somebody else has written is not to be taken for ours afterwards: the next look tells.
  if (files_.Look(lock_).Any()) return;
  absl::StatusOr<bool> moved = writer_->Checkpoint();
  files_.NoteContent();
  if (!moved.ok()) {
    Report(moved.status());
    Break(false);
  } else if (*moved) {
    KeepMark(commits_);
    mark_->Sync();
  }
}

absl::Status SqliteLog::Transact(std::vector<Job>& batch) {
  const int64_t start_us = options_.clock->MonotonicUs();
  absl::Status status = writer_->Begin();
  const bool busy = absl::IsFailedPrecondition(status);
  if (busy) status = absl::UnavailableError(status.message());
  if (status.ok()) status = DoAll(batch);
  if (!status.ok()) {
    FailAll(batch, Outcome::kNotAppended, status);
    if (!busy && !(IsUpkeep(batch) && writer_->Rollback().ok())) Break(true);
    return status;
  }
  status = writer_->Commit();
  if (!status.ok()) {
    unsettled_ = true;
    FailAll(batch, Outcome::kUnknown, status);
    Break(false);
    return status;
  }
  if (status = AfterCommit(); !status.ok()) {
    FailAll(batch, Outcome::kUnknown, status);
    return status;
  }
  const bool appends = std::holds_alternative<AppendJob>(batch.front());
  if (appends && options_.on_commit) {
    options_.on_commit(
        {.appends = batch.size(), .latency_us = options_.clock->MonotonicUs() - start_us});
  }
  return absl::OkStatus();
}

absl::Status SqliteLog::AfterCommit() {
  commits_ = writer_->commits();
  wal_bytes_.store(writer_->wal_bytes(), std::memory_order_relaxed);
  last_commit_ms_ = options_.clock->MonotonicMs();
  const StoreFiles::Changes changes = files_.Look(lock_);
  if (changes.Any()) {
    if (absl::Status status = Mend(changes); !status.ok()) return status;
  }
  KeepMark(mark_->record().floor);
  return absl::OkStatus();
}

void SqliteLog::Idle() {
  if (absl::Status status = EnsureOpen(); !status.ok()) return;
  const StoreFiles::Changes changes = files_.Look(lock_);
  if (changes.Any()) {
    if (Mend(changes).ok()) static_cast<void>(EnsureOpen());
    return;
  }
  if (deleted_left_) return Submit(ClearJob{});
  const int64_t idle_ms = options_.clock->MonotonicMs() - last_commit_ms_;
  if (healthy_ && idle_ms < kProbeMs) return;
  TryStore();
  if (writer_ != nullptr && writer_->NeedsCheckpoint()) Checkpoint();
}

void SqliteLog::TryStore() {
  absl::Status status = writer_->Probe();
  if (status.ok()) status = AfterCommit();
  SetHealthy(status.ok() && writer_ != nullptr);
  if (status.ok() || !away_.ok()) return;
  const bool busy = absl::IsFailedPrecondition(status);
  Report(busy ? absl::UnavailableError(status.message()) : status);
  if (busy) return;
  // A full disk can be read, and what was unknown be settled: only writing has to wait.
  unsettled_ = true;
  Break(false);
  broken_ = Reopen();
}

absl::Status SqliteLog::DoAll(std::vector<Job>& batch) {
  for (Job& job : batch) {
    absl::Status status = std::visit([this](auto& each) { return Do(each); }, job);
    if (absl::IsUnavailable(status)) return status;
  }
  return absl::OkStatus();
}

absl::Status SqliteLog::Do(AppendJob& job) {
  absl::StatusOr<AppendResult> result = writer_->Append(job.request);
  if (result.ok()) {
    job.result = *std::move(result);
    return absl::OkStatus();
  }
  job.result = NotAppended(result.status());
  return result.status();
}

absl::Status SqliteLog::Do(SnapshotJob& job) {
  job.result = writer_->SaveSnapshot(job.showtime, job.snapshot);
  return job.result;
}

absl::Status SqliteLog::Do(TrimJob& job) {
  job.result = writer_->Trim(job.showtime, job.before_ms, job.keep, job.more);
  return job.result;
}

absl::Status SqliteLog::Do(DeleteJob& job) {
  job.result = writer_->Delete(job.showtime);
  return job.result;
}

absl::Status SqliteLog::Do(ClearJob& job) {
  job.result = writer_->ClearDeleted(job.more);
  return job.result;
}

void SqliteLog::Report(const absl::Status& status) {
  if (options_.on_error && absl::IsUnavailable(status)) options_.on_error(status);
}

void SqliteLog::FailAll(std::vector<Job>& batch, Outcome outcome, const absl::Status& error) {
  const absl::Status status = Plain(error, "the store cannot be written now");
  for (Job& job : batch) {
    std::visit(
        [&](auto& each) {
          if constexpr (std::is_same_v<decltype(each), AppendJob&>) {
            each.result = NotAppended(status);
            each.result.outcome = outcome;
          } else {
            each.result = status;
          }
          if constexpr (requires { each.more; }) each.more = false;
        },
        job);
  }
}

void SqliteLog::CallBack(std::vector<Job>& batch) {
  for (Job& job : batch) std::visit([this](auto& each) { CallBack(each); }, job);
}

template <typename AnyJob>
void SqliteLog::CallBack(AnyJob& job) {
  std::move(job.done)(std::move(job.result));
}

void SqliteLog::CallBack(TrimJob& job) {
  if (job.more) return Submit(std::move(job));  // the rest in a later transaction
  std::move(job.done)(job.result);
}

void SqliteLog::CallBack(DeleteJob& job) {
  const bool deleted = job.result.ok();
  std::move(job.done)(job.result);
  if (deleted) Submit(ClearJob{});
}

// One that failed is not tried again and again: the next deletion or the next start goes on.
void SqliteLog::CallBack(ClearJob& job) {
  deleted_left_ = job.more;
  if (job.more && !queue_.IsStopped()) Submit(std::move(job));
}

}  // namespace seatlock::log
