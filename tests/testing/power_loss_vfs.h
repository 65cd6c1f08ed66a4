// A disk for SQLite that can fail and can lose power: a VFS around the default one.
//
// What is written is seen at once, as through a page cache, and is on the disk once it was synced.
// A cut throws away a random subset of what was not: each write is kept, dropped, or torn at a
// 512-byte sector, each new file may not be there. A sync that fails, fails as on Linux: what was
// to be synced counts as clean and no later sync writes it. Nothing is really synced, so that many
// rounds are quick. The removal of a file is taken to be durable at once.
//
// Thread-safe. Outlives every connection that was opened through it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/base/mutex.h"

namespace seatlock::testing {

class PowerLossVfs {
 public:
  explicit PowerLossVfs(uint64_t seed);
  ~PowerLossVfs();
  PowerLossVfs(const PowerLossVfs&) = delete;
  PowerLossVfs& operator=(const PowerLossVfs&) = delete;

  // What to open connections with.
  const std::string& name() const { return name_; }

  // Cuts the power at the `operation`-th write, truncation or sync from now on.
  void CutAt(uint64_t operation);
  void CutNow();
  // Whether the power is cut: everything fails.
  bool IsCut() const;

  // After a cut, with every connection closed: makes the files what the disk has kept, and turns
  // the power on again.
  void Restore();

  // Until Heal, every call of a kind fails with this code of SQLite's.
  void FailWrites(int code);
  void FailSyncs(int code);
  void FailReads(int code);
  // Until Heal, writes that would make a file longer fail with SQLITE_FULL.
  void FillDisk();
  void Heal();

  // Writes that were lost or torn so far, in all cuts.
  uint64_t lost_writes() const;
  // Syncs that succeeded so far.
  uint64_t syncs() const;

 private:
  friend struct PowerLossFile;

  struct Change {
    bool truncate = false;
    int64_t offset = 0;  // of a truncation: the new size
    std::string bytes;
  };

  struct FileState {
    bool on_disk = false;  // the file is there after a cut for certain
    std::string disk;      // its contents after a cut, but for `pending`
    std::vector<Change> pending;
  };

  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                  int* out_flags);
  static int Delete(sqlite3_vfs* vfs, const char* path, int sync_dir);

  // For PowerLossFile. Each gives a SQLite code; `do_it` does it to the real file.
  int Write(const std::string& path, Change change, int (*do_it)(sqlite3_file*, const Change&),
            sqlite3_file* real);
  int Sync(const std::string& path);
  int ReadFault() const;

  void Track(const std::string& path);
  // Counts an operation; true where the power goes at it.
  bool CutsHere() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  uint64_t Random(uint64_t below) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void Apply(const Change& change, std::string& contents);
  // Makes a random part of `pending` part of the disk's contents.
  void LosePending(FileState& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  std::string name_;
  sqlite3_vfs* const real_;
  sqlite3_vfs vfs_;

  mutable base::Mutex mu_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, FileState> files_ ABSL_GUARDED_BY(mu_);
  bool cut_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t operations_until_cut_ ABSL_GUARDED_BY(mu_) = 0;  // 0: never
  int write_fault_ ABSL_GUARDED_BY(mu_) = 0;
  int sync_fault_ ABSL_GUARDED_BY(mu_) = 0;
  int read_fault_ ABSL_GUARDED_BY(mu_) = 0;
  bool full_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t lost_writes_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t syncs_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace seatlock::testing
