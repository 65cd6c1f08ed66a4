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

std::optional<StoreFiles::Id> StoreFiles::IdOf(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return Id{.device = found.st_dev, .inode = found.st_ino};
}

void StoreFiles::Note() {
  if (!database_) database_ = IdOf(path_);
  wal_ = IdOf(WalOf(path_));
  shm_ = IdOf(ShmOf(path_));
  NoteContent();
}

void StoreFiles::NoteContent() {
  content_ = ContentOf(path_);
}

std::optional<StoreFiles::Content> StoreFiles::ContentOf(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return Content{.size = found.st_size,
                 .changed_ns = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec};
}

bool StoreFiles::DatabaseIsThere() const {
  return !database_ || IdOf(path_) == database_;
}

StoreFiles::Change StoreFiles::Look(const FileLock& lock) const {
  if (!DatabaseIsThere()) return Change::kDatabase;
  if (!lock.IsAt(LockOf(path_))) return Change::kLock;
  if (IdOf(WalOf(path_)) != wal_ || IdOf(ShmOf(path_)) != shm_) return Change::kJournal;
  return ContentOf(path_) == content_ ? Change::kNone : Change::kContent;
}

}  // namespace seatlock::log
