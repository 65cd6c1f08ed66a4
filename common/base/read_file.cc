#include "common/base/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace seatlock::base {
namespace {

int64_t Ns(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

absl::Status Errno(const std::string& path, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": cannot be read"));
}

}  // namespace

FileStamp StampOf(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {true, s.st_dev, s.st_ino, s.st_size, Ns(s.st_mtim), Ns(s.st_ctim)};
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Errno(path, errno);
  const auto close = absl::MakeCleanup([fd] { ::close(fd); });
  struct stat s {};
  if (::fstat(fd, &s) != 0) return Errno(path, errno);
  if (!S_ISREG(s.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is no regular file"));
  }
  std::string text(bytes_max + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Errno(path, errno);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > bytes_max) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": has more than ", bytes_max, " bytes, the most that is read"));
  }
  text.resize(size);
  return text;
}

bool OpenToOthers(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return false;
  const bool ours = s.st_uid == ::geteuid();
  return (s.st_mode & S_IRWXO) != 0 || (ours && (s.st_mode & S_IRWXG) != 0);
}

}  // namespace seatlock::base
