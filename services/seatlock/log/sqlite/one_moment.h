// A store's file, opened to read it as it is at one moment, while a server uses it or not.
//
// If nobody has the store open it is read without locks (schema.h, OpenStoreToRead). Somebody may
// begin to use it meanwhile, and what was read may then be of two moments. So ask IsWhole() after
// the last read, and read anew if it is not: at most kReadsMax times.
//
// Thread-compatible. Errors as of OpenStoreToRead; FAILED_PRECONDITION also if another file's
// write-ahead log lies beside the store.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/sqlite/connection.h"

namespace seatlock::log {

// A server starts or stops once while somebody reads. Several times means that something is wrong.
inline constexpr int kReadsMax = 5;

class OneMoment {
 public:
  // The moment is now.
  static absl::StatusOr<OneMoment> Open(const std::string& path);

  Connection& connection() { return connection_; }

  // Whether all that was read up to now is of one moment.
  bool IsWhole() const;

  // The error of who read kReadsMax times in vain, or cannot read anew.
  static absl::Status NotWhole(const std::string& path);

 private:
  struct File {
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t changed_ns;
    friend bool operator==(const File&, const File&) = default;
  };
  OneMoment(std::string path, std::optional<File> before, Connection connection)
      : path_(std::move(path)), before_(before), connection_(std::move(connection)) {}

  static std::optional<File> FileAt(const std::string& path);

  std::string path_;
  std::optional<File> before_;  // as the file was before it was opened
  Connection connection_;       // in a read transaction
};

}  // namespace seatlock::log
