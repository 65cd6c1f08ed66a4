#include "services/seatlock/log/sqlite/copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/sqlite/connection.h"
#include "services/seatlock/log/sqlite/files.h"
#include "services/seatlock/log/sqlite/one_moment.h"
#include "services/seatlock/log/sqlite/opening.h"
#include "services/seatlock/log/sqlite/schema.h"
#include "services/seatlock/log/sqlite/wal.h"

namespace seatlock::log {
namespace {

absl::Status SyncFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (synced) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot sync ", path, ": ", std::strerror(error)));
}

absl::Status CopyPages(Connection& from, Connection& to, const ProgressCallback& progress,
                       int pages_a_step) {
  sqlite3_backup* backup = sqlite3_backup_init(to.get(), "main", from.get(), "main");
  if (backup == nullptr) return to.Error("copy");
  int code = SQLITE_OK;
  bool go_on = true;
  while (code == SQLITE_OK && go_on) {
    code = sqlite3_backup_step(backup, pages_a_step);
    const int64_t total = sqlite3_backup_pagecount(backup);
    go_on = progress(total - sqlite3_backup_remaining(backup), total);
  }
  const int finished = sqlite3_backup_finish(backup);
  if (!go_on) return absl::CancelledError("stopped by a signal");
  if (code != SQLITE_DONE || finished != SQLITE_OK) return to.Error("copy");
  return absl::OkStatus();
}

absl::Status MarkAsCopy(Connection& copy) {
  // A copy is one file without a write-ahead log, so that it can be read wherever it is kept.
  if (absl::Status status = copy.Exec("PRAGMA journal_mode=DELETE"); !status.ok()) return status;
  absl::StatusOr<int64_t> version = copy.Int("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (*version < 2) return absl::OkStatus();  // such a file gets its generation when it is opened
  absl::StatusOr<Meta> meta = ReadMeta(copy);
  if (!meta.ok()) return meta.status();
  meta->is_copy = true;
  return WriteMeta(copy, *meta);
}

absl::Status TruncateWal(Connection& connection) {
  const int code = sqlite3_wal_checkpoint_v2(connection.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  if (code == SQLITE_OK) return absl::OkStatus();
  if (connection.IsBusy()) {
    return absl::FailedPreconditionError("another program reads the store: end it first");
  }
  return connection.Error("checkpoint");
}

// Opens the store for somebody who is alone with it. `notice`: as MakeOneFile's.
absl::StatusOr<Connection> OpenAlone(const std::string& path, std::string& notice) {
  absl::StatusOr<Opening> opening = Opening::Look(path, "");
  if (!opening.ok()) return opening.status();
  notice = opening->notice();
  absl::StatusOr<Connection> connection =
      OpenStore(path, "", Durability::kFull, Connection::Mode::kExisting);
  if (!connection.ok()) return connection;
  absl::Status status = MakeDurable(*connection, Durability::kFull);
  if (status.ok()) status = TruncateWal(*connection);
  if (!status.ok()) return status;
  connection->CheckpointOnClose();
  return connection;
}

// `is_whole`: as OneMoment says of what was read, also if this fails.
absl::Status CopyOnce(const std::string& from, const std::string& to,
                      const ProgressCallback& progress, int pages_a_step, bool& is_whole) {
  absl::StatusOr<OneMoment> source = OneMoment::Open(from);
  if (!source.ok()) return source.status();
  absl::StatusOr<Connection> copy = Connection::Open(to, "", Connection::Mode::kCreate);
  if (!copy.ok()) return copy.status();
  // Synced once, when it is whole.
  absl::Status status = copy->Exec("PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY");
  if (status.ok()) status = CopyPages(source->connection(), *copy, progress, pages_a_step);
  is_whole = source->IsWhole();
  return status.ok() && is_whole ? MarkAsCopy(*copy) : status;
}

}  // namespace

absl::Status CopyStore(const std::string& from, const std::string& to,
                       const ProgressCallback& progress, int pages_a_step) {
  for (int reads = 1;; ++reads) {
    bool is_whole = true;
    absl::Status status = CopyOnce(from, to, progress, pages_a_step, is_whole);
    if (status.ok() && is_whole) return SyncFile(to);
    if (is_whole) return status;
    if (reads == kReadsMax) return OneMoment::NotWhole(from);
    std::remove(to.c_str());
  }
}

absl::StatusOr<MarkRecord> AdoptCopy(const std::string& path) {
  Meta meta;
  {
    absl::StatusOr<Connection> connection =
        OpenStore(path, "", Durability::kFull, Connection::Mode::kExisting);
    if (!connection.ok()) return connection.status();
    absl::StatusOr<Meta> found = ReadMeta(*connection);
    if (!found.ok()) return found.status();
    meta = Renewed(*std::move(found));
    absl::Status status = WriteMeta(*connection, meta);
    if (status.ok()) status = TruncateWal(*connection);
    if (!status.ok()) return status;
    connection->CheckpointOnClose();
  }
  if (absl::Status status = SyncFile(path); !status.ok()) return status;
  return MarkRecord{.generation = meta.generation, .commits = meta.commits, .floor = meta.commits};
}

absl::StatusOr<std::string> MakeOneFile(const std::string& path) {
  std::string notice;
  absl::Status status = OpenAlone(path, notice).status();
  if (!status.ok()) return status;
  return notice;
}

absl::StatusOr<std::string> Compact(const std::string& path) {
  // The new content is gathered beside the store, and not in memory or on another disk. SQLite
  // reads the variable once, when it is first used.
  const std::string folder = std::filesystem::path(path).parent_path().string();
  setenv("SQLITE_TMPDIR", folder.empty() ? "." : folder.c_str(), 1);
  std::string notice;
  absl::StatusOr<Connection> connection = OpenAlone(path, notice);
  if (!connection.ok()) return connection.status();
  absl::Status status = connection->Exec("PRAGMA temp_store=FILE");
  if (status.ok()) status = connection->Exec("VACUUM");
  if (status.ok()) status = TruncateWal(*connection);
  if (!status.ok()) return status;
  return notice;
}

}  // namespace seatlock::log
