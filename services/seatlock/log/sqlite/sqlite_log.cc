#include "services/seatlock/log/sqlite/sqlite_log.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/sqlite/wal.h"
#include "services/seatlock/log/verify.h"

namespace seatlock::log {

using domain::Revision;
using domain::ShowtimeId;
using Outcome = AppendResult::Outcome;

namespace {

absl::Status TooMuchWaits() {
  return absl::ResourceExhaustedError("the store has too much waiting for it");
}

absl::Status BeingOpened() {
  return absl::UnavailableError("the store is being opened again");
}

AppendResult NotAppended(absl::Status status) {
  AppendResult result;
  result.status = std::move(status);
  return result;
}

// What nobody waits for: if it fails, the next append or probe tells whether the store is well.
bool IsUpkeep(const std::vector<Job>& batch) {
  return std::holds_alternative<SnapshotJob>(batch.front()) ||
         std::holds_alternative<TrimJob>(batch.front());
}

void Fail(Job& job, const absl::Status& status) {
  if (auto* append = std::get_if<AppendJob>(&job)) {
    std::move(append->done)(NotAppended(status));
  } else if (auto* snapshot = std::get_if<SnapshotJob>(&job)) {
    std::move(snapshot->done)(status);
  } else if (auto* trim = std::get_if<TrimJob>(&job)) {
    std::move(trim->done)(status);
  } else if (auto* recover = std::get_if<RecoverJob>(&job)) {
    std::move(recover->done)(status);
  }
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

void SqliteLog::Report(const absl::Status& status) {
  if (options_.on_error && absl::IsUnavailable(status)) options_.on_error(status);
}

void SqliteLog::FailAll(std::vector<Job>& batch, Outcome outcome, const absl::Status& error) {
  const absl::Status status = Plain(error, "the store cannot be written now");
  for (Job& job : batch) {
    if (auto* append = std::get_if<AppendJob>(&job)) {
      append->result = NotAppended(status);
      append->result.outcome = outcome;
    } else if (auto* snapshot = std::get_if<SnapshotJob>(&job)) {
      snapshot->result = status;
    } else if (auto* trim = std::get_if<TrimJob>(&job)) {
      trim->result = status;
      trim->more = false;
    } else {
      std::get<RecoverJob>(job).result = status;
    }
  }
}

void SqliteLog::CallBack(std::vector<Job>& batch) {
  for (Job& job : batch) {
    if (auto* append = std::get_if<AppendJob>(&job)) {
      std::move(append->done)(std::move(append->result));
    } else if (auto* snapshot = std::get_if<SnapshotJob>(&job)) {
      std::move(snapshot->done)(snapshot->result);
    } else if (auto* trim = std::get_if<TrimJob>(&job)) {
      if (trim->result.ok() && trim->more) {
        Submit(std::move(job));  // the rest in a later transaction, behind what waits
      } else {
        std::move(trim->done)(trim->result);
      }
    } else {
      RecoverJob& recover = std::get<RecoverJob>(job);
      std::move(recover.done)(recover.result);
    }
  }
}

// Failing and coming back -------------------------------------------------------------------------

// Counted before it shows, so that whoever sees it healthy finds the count risen.
void SqliteLog::SetHealthy(bool healthy) {
  if (healthy && !healthy_) ++returns_;
  healthy_ = healthy;
}

void SqliteLog::Break(bool reads_go_on) {
  SetHealthy(false);
  if (!reads_go_on) {
    // Both connections go: they share what they believe to be in the write-ahead log.
    base::MutexLock lock(reader_mu_);
    reader_.reset();
  }
  writer_.reset();
}

void SqliteLog::SetAway(const absl::Status& status) {
  SetHealthy(false);
  if (away_.ok()) Report(status);
  away_ = status;
}

// The order matters. Closing the connection closes the only handle on a write-ahead log that was
// removed, and a checkpoint writes into whatever file is there now. So nothing is written before
// the lock is ours and the file is known to be ours, and nothing closed before all that was
// committed is in that file.
absl::Status SqliteLog::Mend(const StoreFiles::Changes& changes) {
  absl::Status status = MendAll(changes);
  if (!status.ok()) SetAway(status);
  return status;
}

absl::Status SqliteLog::MendAll(StoreFiles::Changes changes) {
  const bool lock_was_gone = changes.lock;
  if (lock_was_gone) {
    if (absl::Status status = TakeLockAgain(); !status.ok()) return status;
    // Whoever removed the lock may have removed the rest in the same breath.
    changes = files_.Look(lock_);
  }
  if (changes.database) {
    return absl::UnavailableError(options_.path +
                                  " is gone from its place, or another file is there");
  }
  if (changes.content) {
    if (absl::Status status = CheckContent(); !status.ok()) {
      // Reads would mix the foreign pages with ours. The writer's handles stay, for what they hold.
      base::MutexLock lock(reader_mu_);
      reader_.reset();
      return status;
    }
    files_.NoteContent();  // another program's checkpoint, or a new time
    if (!changes.journal && !lock_was_gone && away_.ok()) return absl::OkStatus();
  }
  if (changes.journal) {
    if (absl::Status status = MoveRemovedWal(); !status.ok()) return status;
  }
  Report(absl::UnavailableError("a file beside " + options_.path +
                                " was removed or replaced; the store is opened anew"));
  away_ = absl::OkStatus();
  Break(false);
  next_reopen_ms_ = 0;
  return absl::OkStatus();
}

// What was committed is in a write-ahead log that nobody finds any more, except through the
// connection that is open: moves it into the database file, which is ours.
absl::Status SqliteLog::MoveRemovedWal() {
  if (writer_ == nullptr) return absl::OkStatus();
  absl::StatusOr<bool> moved = writer_->Checkpoint();
  files_.NoteContent();
  if (!moved.ok() || !*moved) {
    return absl::UnavailableError(WalOf(options_.path) +
                                  " was removed, and what it held cannot be moved yet");
  }
  KeepMark(commits_);
  mark_->Sync();
  return absl::OkStatus();
}

absl::Status SqliteLog::TakeLockAgain() {
  absl::StatusOr<FileLock> lock = FileLock::Acquire(LockOf(options_.path));
  if (!lock.ok()) {
    return absl::UnavailableError("the store's lock was removed; " +
                                  std::string(lock.status().message()));
  }
  lock_ = *std::move(lock);
  return absl::OkStatus();
}

// The bound is lower than it could be if this fails, and still true.
void SqliteLog::KeepMark(uint64_t floor) {
  if (absl::Status status = mark_->Write(commits_, floor); !status.ok()) Report(status);
}

absl::Status SqliteLog::EnsureOpen() {
  if (!away_.ok()) {
    const StoreFiles::Changes changes = files_.Look(lock_);
    if (!changes.Any()) {
      away_ = absl::OkStatus();
      Break(false);
      next_reopen_ms_ = 0;
    } else if (absl::Status status = Mend(changes); !status.ok()) {
      return status;
    }
  }
  if (writer_ != nullptr) return absl::OkStatus();
  const int64_t now_ms = options_.clock->MonotonicMs();
  if (now_ms < next_reopen_ms_) return broken_.ok() ? BeingOpened() : broken_;
  broken_ = Reopen();
  if (broken_.ok()) {
    TryStore();
  } else {
    Report(broken_);
  }
  // The small commit may have found the files gone once more.
  if (broken_.ok() && writer_ == nullptr) {
    broken_ = BeingOpened();
  }
  next_reopen_ms_ = now_ms + kReopenIntervalMs;
  return broken_;
}

absl::Status SqliteLog::Reopen() {
  if (!files_.DatabaseIsThere()) {
    return absl::UnavailableError(options_.path +
                                  " is gone from its place, or another file is there");
  }
  const auto mode = opening_ ? Connection::Mode::kCreate : Connection::Mode::kExisting;
  int64_t found = 0;
  absl::StatusOr<Connection> writing =
      OpenStore(options_.path, options_.vfs, options_.durability, mode, &found);
  if (!writing.ok()) return writing.status();
  // Only then is what we read certainly on the disk, whoever wrote it and whatever their fsync
  // said.
  absl::Status status = MakeDurable(*writing, options_.durability);
  if (status.ok()) {
    status = opening_ ? Judge(*opening_, *writing, found) : CheckUnchanged(*writing);
  }
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<WriteSession>> writer =
      WriteSession::Create(*std::move(writing), options_.checkpoint_pages);
  if (!writer.ok()) return writer.status();
  absl::StatusOr<Connection> reading =
      OpenStore(options_.path, options_.vfs, options_.durability, Connection::Mode::kExisting);
  if (!reading.ok()) return reading.status();
  absl::StatusOr<ReadSession> reader = ReadSession::Create(*std::move(reading));
  if (!reader.ok()) return reader.status();
  writer_ = *std::move(writer);
  commits_ = writer_->commits();
  unsettled_ = false;
  // What was unknown may be found to be there, and be acknowledged by whoever reads it.
  if (!opening_ && commits_ > mark_->record().commits) KeepMark(mark_->record().floor);
  files_.Note();
  base::MutexLock lock(reader_mu_);
  reader_ = std::make_unique<ReadSession>(*std::move(reader));
  return absl::OkStatus();
}

absl::Status SqliteLog::Judge(Opening& opening, Connection& connection, int64_t found) {
  absl::StatusOr<Mark> mark = opening.Finish(connection, found);
  if (!mark.ok()) return mark.status();
  generation_ = mark->record().generation;
  mark_ = *std::move(mark);
  return absl::OkStatus();
}

absl::Status SqliteLog::CheckContent() const {
  const absl::Status overwritten =
      absl::UnavailableError(options_.path + " was overwritten by another program");
  absl::StatusOr<Connection> main = Connection::OpenMainAlone(options_.path, options_.vfs);
  if (!main.ok()) return overwritten;
  absl::StatusOr<Meta> meta = ReadMeta(*main);
  if (!meta.ok() || meta->is_copy || meta->generation != generation_) return overwritten;
  const uint64_t most = commits_ + (unsettled_ ? 1 : 0);
  const bool is_ours = meta->commits >= mark_->record().floor && meta->commits <= most;
  return is_ours ? absl::OkStatus() : overwritten;
}

absl::Status SqliteLog::CheckUnchanged(const Connection& connection) const {
  absl::StatusOr<Meta> meta = ReadMeta(connection);
  if (!meta.ok()) return meta.status();
  const bool same = meta->generation == generation_ &&
                    (meta->commits == commits_ || (unsettled_ && meta->commits == commits_ + 1));
  if (same) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(options_.path, " was written by another program or put back: restart"));
}

}  // namespace seatlock::log
