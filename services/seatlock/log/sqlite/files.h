// The files that make up a store, and whether they are still the ones that are open.
//
// Somebody may remove, move or replace a file that this process has open. It then writes into a
// file that nobody finds any more; only a look at the path tells.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "services/seatlock/log/sqlite/file_lock.h"

namespace seatlock::log {

// Names beside the database file `path`.
inline std::string WalOf(const std::string& path) {
  return path + "-wal";
}
inline std::string ShmOf(const std::string& path) {
  return path + "-shm";
}
inline std::string LockOf(const std::string& path) {
  return path + ".lock";
}
inline std::string MarkOf(const std::string& path) {
  return path + ".mark";
}

// Makes sure that names made, moved or removed beside `path` outlive a power cut.
absl::Status SyncFolderOf(const std::string& path);

// The size of the file at `path`; 0 where it is not there.
int64_t SizeOf(const std::string& path);

// A name beside `path` that is free: `path` and `suffix`, or that and a number.
std::string FreeName(const std::string& path, const std::string& suffix);

// Which files a log has open. Thread-compatible. A look costs five stat calls, some 3 us, and
// one more where the path that was given leads over a link.
class StoreFiles {
 public:
  // `given` leads to `path`, perhaps over links.
  StoreFiles(std::string path, std::string given)
      : path_(std::move(path)), given_(std::move(given)) {}

  // Takes what is at the paths now for what is open. The database file is noted once.
  void Note();
  // Takes the database file's size and time for what this log made them: after a checkpoint.
  void NoteContent();

  struct Changes {
    bool database = false;  // the database file is gone from its path, or another is there
    bool content = false;   // somebody else wrote the database file
    bool journal = false;   // what SQLite keeps beside it is gone, or another is there
    bool lock = false;      // the same of the lock file
    bool Any() const { return database || content || journal || lock; }
  };
  // All of them: what must not be done depends on each.
  Changes Look(const FileLock& lock) const;
  // Whether the database file is where it was first noted, and the path that was given leads there.
  bool DatabaseIsThere() const;

 private:
  struct Id {
    dev_t device;
    ino_t inode;
    friend bool operator==(const Id&, const Id&) = default;
  };
  struct Content {
    off_t size;
    int64_t changed_ns;
    friend bool operator==(const Content&, const Content&) = default;
  };
  struct Found {
    std::optional<Id> id;
    std::optional<Content> content;
  };
  static Found At(const std::string& path);
  bool IsDatabase(const std::optional<Id>& id) const;

  const std::string path_;
  const std::string given_;
  std::optional<Id> database_;
  std::optional<Id> wal_;
  std::optional<Id> shm_;
  std::optional<Content> content_;
};

}  // namespace seatlock::log
