#include "services/seatlock/log/sqlite/wal.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"

namespace seatlock::log {
namespace {

constexpr int64_t kWalHeaderBytes = 32;
constexpr int64_t kFrameHeaderBytes = 24;
// SQLite's unix VFS writes at most 128 KiB at once.
constexpr int64_t kCopyBytes = 64 << 10;

struct Valid {
  int64_t bytes = 0;       // how long the valid part of the write-ahead log is
  bool all_moved = false;  // the database file holds all of it, synced
};

// From the header of the index that SQLite's
// connections share (https://sqlite.org/walformat.html, "the WAL-Index header": page size at 14,
// mxFrame at 16, nBackfill at 96). The file itself would not tell: a commit that failed may look
// whole there.
absl::StatusOr<Valid> ValidPart(sqlite3_file* database) {
  constexpr int kIndexBlockBytes = 32 * 1024;
  void volatile* index = nullptr;
  const int code = database->pMethods->xShmMap(database, 0, kIndexBlockBytes, 0, &index);
  if (code != SQLITE_OK || index == nullptr) {
    return absl::UnavailableError("the index of the write-ahead log cannot be read");
  }
  uint16_t page_size = 0;
  uint32_t frames = 0;
  uint32_t moved = 0;
  const char* bytes =
      static_cast<const char*>(const_cast<const void*>(static_cast<const volatile void*>(index)));
  std::memcpy(&page_size, bytes + 14, sizeof(page_size));
  std::memcpy(&frames, bytes + 16, sizeof(frames));
  std::memcpy(&moved, bytes + 96, sizeof(moved));
  if (frames == 0) return Valid{};
  const int64_t page_bytes = page_size == 1 ? 65536 : page_size;
  return Valid{.bytes = kWalHeaderBytes + frames * (kFrameHeaderBytes + page_bytes),
               .all_moved = moved == frames};
}

absl::Status Failed(const char* what, int code) {
  const absl::string_view full = (code & 0xff) == SQLITE_FULL ? ": the disk is full" : "";
  return absl::UnavailableError(absl::StrCat("write-ahead log: ", what, full, " (", code, ")"));
}

// Of the `there` bytes the first `size` are valid.
absl::Status Rewrite(sqlite3_file* wal, int64_t there, int64_t size, Durability durability) {
  const sqlite3_io_methods& file = *wal->pMethods;
  if (there < size) return absl::UnavailableError("the write-ahead log is too short");
  if (there > size) {
    if (int code = file.xTruncate(wal, size); code != SQLITE_OK) return Failed("truncate", code);
  }
  std::vector<char> chunk(static_cast<size_t>(std::min(size, kCopyBytes)));
  for (int64_t at = 0; at < size; at += kCopyBytes) {
    const int bytes = static_cast<int>(std::min(size - at, kCopyBytes));
    if (int code = file.xRead(wal, chunk.data(), bytes, at); code != SQLITE_OK) {
      return Failed("read", code);
    }
    if (int code = file.xWrite(wal, chunk.data(), bytes, at); code != SQLITE_OK) {
      return Failed("write", code);
    }
  }
  if (durability == Durability::kOff || there == 0) return absl::OkStatus();
  const int code = file.xSync(wal, SQLITE_SYNC_NORMAL);
  return code == SQLITE_OK ? absl::OkStatus() : Failed("sync", code);
}

// Somebody who has the file open keeps the index of a write-ahead log that was removed, all of
// which is in the database file. A commit would be written behind what the new, empty log lacks,
// where no other process finds it: has SQLite begin both anew.
absl::Status BeginAnew(Connection& connection) {
  const int code = sqlite3_wal_checkpoint_v2(connection.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  if (code == SQLITE_OK) return absl::OkStatus();
  if (!connection.IsBusy()) return connection.Error("checkpoint");
  return absl::UnavailableError(
      "another program reads the store by a write-ahead log that was removed");
}

// `is_lost`: all of the write-ahead log is in the database file, and its own file is gone.
absl::Status MakeDurableLocked(Connection& connection, Durability durability, bool& is_lost) {
  sqlite3_file* database = nullptr;
  sqlite3_file* wal = nullptr;
  sqlite3* db = connection.get();
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &database) != SQLITE_OK ||
      sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK ||
      database->pMethods == nullptr || wal->pMethods == nullptr) {
    return absl::UnavailableError("the write-ahead log is not open");
  }
  absl::StatusOr<Valid> valid = ValidPart(database);
  if (!valid.ok()) return valid.status();
  sqlite3_int64 there = 0;
  const int code = wal->pMethods->xFileSize(wal, &there);
  if (code != SQLITE_OK) return Failed("size", code);
  is_lost = there < valid->bytes && valid->all_moved;
  return is_lost ? absl::OkStatus() : Rewrite(wal, there, valid->bytes, durability);
}

}  // namespace

absl::Status MakeDurable(Connection& connection, Durability durability) {
  // With the write lock held nobody appends to the write-ahead log or begins it anew.
  if (absl::Status status = connection.Exec("BEGIN IMMEDIATE"); !status.ok()) {
    if (!connection.IsBusy()) return status;
    return absl::UnavailableError("another program holds the write lock of the store's file");
  }
  bool is_lost = false;
  absl::Status status = MakeDurableLocked(connection, durability, is_lost);
  const absl::Status ended = connection.Exec("ROLLBACK");  // nothing was changed
  if (status.ok()) status = ended;
  return status.ok() && is_lost ? BeginAnew(connection) : status;
}

}  // namespace seatlock::log
