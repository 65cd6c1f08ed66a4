#include "services/seatlock/log/sqlite/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace seatlock::log {

absl::Status SyncFolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (synced) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot sync ", folder, ": ", std::strerror(error)));
}

int64_t SizeOf(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 ? static_cast<int64_t>(found.st_size) : 0;
}

std::string FreeName(const std::string& path, const std::string& suffix) {
  std::string name = path + suffix;
  struct stat found;
  for (int i = 2; lstat(name.c_str(), &found) == 0; ++i) name = absl::StrCat(path, suffix, ".", i);
  return name;
}

StoreFiles::Found StoreFiles::At(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return {};
  return {.id = Id{.device = found.st_dev, .inode = found.st_ino},
          .content =
              Content{.size = found.st_size,
                      .changed_ns = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec}};
}

void StoreFiles::Note() {
  const Found database = At(path_);
  if (!database_) database_ = database.id;
  content_ = database.content;
  wal_ = At(WalOf(path_)).id;
  shm_ = At(ShmOf(path_)).id;
}

void StoreFiles::NoteContent() {
  content_ = At(path_).content;
}

bool StoreFiles::IsDatabase(const std::optional<Id>& id) const {
  if (!database_) return true;
  return id == database_ && (given_ == path_ || At(given_).id == database_);
}

bool StoreFiles::DatabaseIsThere() const {
  return IsDatabase(At(path_).id);
}

StoreFiles::Changes StoreFiles::Look(const FileLock& lock) const {
  const Found database = At(path_);
  return {
      .database = !IsDatabase(database.id),
      .content = database.content != content_,
      .journal = At(WalOf(path_)).id != wal_ || At(ShmOf(path_)).id != shm_,
      .lock = !lock.IsAt(LockOf(path_)),
  };
}

}  // namespace seatlock::log
