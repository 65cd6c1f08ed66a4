// An exclusive lock on a file of its own beside the store, so that one process, and within it one
// log, has the store open. The system gives it back when the holder dies, however it dies.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace seatlock::log {

class FileLock {
 public:
  // FAILED_PRECONDITION where somebody holds it, UNAVAILABLE where the file cannot be made.
  static absl::StatusOr<FileLock> Acquire(const std::string& path);

  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

  // Whether the file that is locked is the one at `path`: if it was removed, somebody else may
  // lock another one there.
  bool IsAt(const std::string& path) const;

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace seatlock::log
