#include "services/seatlock/log/sqlite/one_moment.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/sqlite/files.h"
#include "services/seatlock/log/sqlite/mark.h"
#include "services/seatlock/log/sqlite/schema.h"

namespace seatlock::log {
namespace {

// Whether the write-ahead log beside `path` is another file's, judged as a start judges it
// (opening.h). SQLite would mix the two.
bool WalIsForeign(const std::string& path) {
  if (SizeOf(WalOf(path)) == 0) return false;
  // The mark first: a server raises the file before the mark, so an older mark accuses nobody.
  const std::optional<MarkRecord> mark = Mark::Read(MarkOf(path));
  absl::StatusOr<Connection> main = Connection::OpenMainAlone(path, "");
  if (!main.ok()) return false;
  absl::StatusOr<int64_t> version = main->Int("PRAGMA user_version");
  // A mark is made of a file of version 2 only.
  if (version.ok() && *version == 1) return mark && !mark->restoring;
  absl::StatusOr<Meta> meta = ReadMeta(*main);
  if (!meta.ok()) return false;
  if (meta->is_copy) return true;
  if (!mark || mark->restoring) return false;
  return mark->generation != meta->generation || meta->commits < mark->floor;
}

// Whether somebody serves the store at `path`. Writes nothing.
bool IsLocked(const std::string& path) {
  const int fd = open(LockOf(path).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return is_locked;
}

absl::StatusOr<Connection> Begin(const std::string& path) {
  // Who serves the store has moved another file's log aside.
  if (WalIsForeign(path) && !IsLocked(path)) {
    return absl::FailedPreconditionError(
        absl::StrCat(WalOf(path),
                     " is the write-ahead log of another file: start seatlockd, which "
                     "moves it aside, or move it away"));
  }
  absl::StatusOr<Connection> connection = OpenStoreToRead(path);
  if (!connection.ok()) return connection;
  if (absl::Status status = connection->Exec("BEGIN"); !status.ok()) return status;
  // The first read fixes the moment.
  absl::StatusOr<int64_t> first = connection->Int("SELECT count(*) FROM sqlite_schema");
  if (!first.ok()) return first.status();
  return connection;
}

}  // namespace

absl::StatusOr<OneMoment> OneMoment::Open(const std::string& path) {
  for (int reads = 1;; ++reads) {
    const std::optional<File> before = FileAt(path);
    absl::StatusOr<Connection> connection = Begin(path);
    if (connection.ok()) return OneMoment(path, before, *std::move(connection));
    if (FileAt(path) == before || reads == kReadsMax) return connection.status();
  }
}

bool OneMoment::IsWhole() const {
  const char* name = sqlite3_db_filename(connection_.get(), "main");
  return sqlite3_uri_boolean(name, "immutable", 0) == 0 || FileAt(path_) == before_;
}

absl::Status OneMoment::NotWhole(const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("somebody began to use ", path, " while it was read: run this again"));
}

std::optional<OneMoment::File> OneMoment::FileAt(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return File{.device = found.st_dev,
              .inode = found.st_ino,
              .size = found.st_size,
              .changed_ns = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec};
}

}  // namespace seatlock::log
