// How the log fails and comes back: what became of the store's files, and opening them anew.
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/sqlite/sqlite_log.h"
#include "services/seatlock/log/sqlite/wal.h"

namespace seatlock::log {

absl::Status SqliteLog::BeingOpened() {
  return absl::UnavailableError("the store is being opened again");
}

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
  absl::StatusOr<bool> deleted_left = (*writer)->HasDeleted();
  if (!deleted_left.ok()) return deleted_left.status();
  deleted_left_ = *deleted_left;
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
