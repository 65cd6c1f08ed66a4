#include "services/seatlock/log/sqlite/one_moment.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/sqlite/schema.h"

namespace seatlock::log {
namespace {

absl::StatusOr<Connection> Begin(const std::string& path) {
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
