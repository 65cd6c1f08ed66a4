#include "services/seatlock/log/sqlite/sqlite_log.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
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

SqliteLog::SqliteLog(Options options, FileLock lock)
    : options_(std::move(options)), lock_(std::move(lock)), queue_(options_.queue_bytes_max) {}

absl::StatusOr<std::unique_ptr<SqliteLog>> SqliteLog::Open(Options options) {
  absl::StatusOr<std::string> path = RealPath(options.path);
  if (!path.ok()) return path.status();
  options.path = *std::move(path);
  absl::StatusOr<FileLock> lock = FileLock::Acquire(options.path + ".lock");
  if (!lock.ok()) return lock.status();
  std::unique_ptr<SqliteLog> log(new SqliteLog(std::move(options), *std::move(lock)));
  if (absl::Status status = log->Reopen(); !status.ok()) return status;
  absl::StatusOr<std::string> generation = ReadGeneration(log->writer_->connection());
  if (!generation.ok()) return generation.status();
  log->generation_ = *std::move(generation);
  log->reader_thread_ = std::make_unique<base::ThreadExecutor>();
  log->writer_thread_ = std::thread([log = log.get()] { log->Write(); });
  return log;
}

SqliteLog::~SqliteLog() {
  queue_.Stop();
  if (writer_thread_.joinable()) writer_thread_.join();
  reader_thread_.reset();
  // A file that is as it should be is left as one file; a broken one is closed already.
  if (writer_ != nullptr) writer_->connection().CheckpointOnClose();
  base::MutexLock lock(reader_mu_);
  reader_.reset();
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
    absl::StatusOr<T> result = absl::UnavailableError("the store is being opened again");
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
  for (;;) {
    std::vector<Job> batch = queue_.Take();
    if (batch.empty()) return;
    WriteBatch(batch);
  }
}

void SqliteLog::WriteBatch(std::vector<Job>& batch) {
  absl::Status status = EnsureOpen();
  if (!status.ok() || std::holds_alternative<RecoverJob>(batch.front())) {
    FailAll(batch, Outcome::kNotAppended, status);  // a RecoverJob that comes this far may get OK
    CallBack(batch);
    return;
  }
  const int64_t start_us = options_.clock->MonotonicUs();
  status = writer_->Begin();
  if (status.ok()) status = DoAll(batch);
  if (!status.ok()) {
    Report(status);
    FailAll(batch, Outcome::kNotAppended, status);
    Break();
  } else if (status = writer_->Commit(); !status.ok()) {
    Report(status);
    FailAll(batch, Outcome::kUnknown, status);
    Break();
  } else if (options_.on_commit) {
    const auto appends = std::count_if(batch.begin(), batch.end(), [](const Job& job) {
      return std::holds_alternative<AppendJob>(job);
    });
    options_.on_commit({.appends = static_cast<size_t>(appends),
                        .latency_us = options_.clock->MonotonicUs() - start_us});
  }
  healthy_ = status.ok();
  CallBack(batch);
  if (status.ok() && !writer_->CheckpointIfLarge().ok()) Break();
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

void SqliteLog::Break() {
  healthy_ = false;
  next_reopen_ms_ = 0;
  {
    // Both connections go: they share what they believe to be in the write-ahead log.
    base::MutexLock lock(reader_mu_);
    reader_.reset();
  }
  writer_.reset();
}

absl::Status SqliteLog::EnsureOpen() {
  if (writer_ != nullptr) return absl::OkStatus();
  const int64_t now_ms = options_.clock->MonotonicMs();
  if (now_ms < next_reopen_ms_) return broken_;
  absl::Status status = Reopen();
  if (!status.ok()) Report(status);
  healthy_ = status.ok();
  broken_ = status;
  next_reopen_ms_ = now_ms + kReopenIntervalMs;
  return status;
}

absl::Status SqliteLog::Reopen() {
  absl::StatusOr<Connection> writing = OpenStore(options_.path, options_.vfs, options_.durability);
  if (!writing.ok()) return writing.status();
  // Writes to the database file all that the write-ahead log shows, and syncs it: only then is
  // what we read certainly on the disk, whoever wrote it and whatever their fsync said.
  if (sqlite3_wal_checkpoint_v2(writing->get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                nullptr) != SQLITE_OK) {
    return writing->Error("checkpoint");
  }
  absl::StatusOr<std::unique_ptr<WriteSession>> writer =
      WriteSession::Create(*std::move(writing), options_.checkpoint_pages);
  if (!writer.ok()) return writer.status();
  absl::StatusOr<Connection> reading = OpenStore(options_.path, options_.vfs, options_.durability);
  if (!reading.ok()) return reading.status();
  absl::StatusOr<ReadSession> reader = ReadSession::Create(*std::move(reading));
  if (!reader.ok()) return reader.status();
  writer_ = *std::move(writer);
  {
    base::MutexLock lock(reader_mu_);
    reader_ = std::make_unique<ReadSession>(*std::move(reader));
  }
  return absl::OkStatus();
}

}  // namespace seatlock::log
