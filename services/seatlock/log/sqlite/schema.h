// The store's tables and settings, and how a file is taken for one of ours.
//
//   showtimes: one row a showtime. key is what the other tables call it. base_revision is the
//     newest record that was trimmed (0: none) and base_chain its chain, so that the rest
//     verifies. seen_revision is a revision known to have been reached (written whenever the row
//     is written anyway): a tail cut off below it is noticed. A deleted showtime keeps its row
//     under a name that no showtime can have (kDeletedNames) until its records and snapshots are
//     cleared away, so that no new showtime gets its key.
//   records: seal binds commit_ms to the chain, which covers the bytes alone.
//   snapshots: hash binds the bytes to the position, as a record's chain does.
//
//   meta: one row. generation is ShowtimeLog::Generation's. commits counts the transactions that
//     changed something: 8 bytes, big-endian, so that the row keeps its size. is_copy is 1 in a
//     backup, until the file is used as a store. probe is written to see whether that is possible:
//     0 and 1 in turn, for SQLite writes nothing where nothing changes.
//
// The schema's version is in user_version; a newer one is refused, an older one brought up to date.
// kApplicationId tells our files from other databases.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/chain.h"
#include "services/seatlock/log/sqlite/connection.h"

namespace seatlock::log {

// kOff never syncs: for benchmarks, and as the negative control of the power-loss test. A power
// cut then loses what was acknowledged.
enum class Durability { kFull, kOff };

inline constexpr int32_t kApplicationId = 0x5345'4C4B;  // "SELK"
inline constexpr int32_t kSchemaVersion = 2;

// Opens a connection to the store at `path` for writing. kCreate makes the tables in a new or empty
// file. Tables of an older version are brought up to date; `found` (may be nullptr) is what the
// version was, 0 for a new file. FAILED_PRECONDITION: it is no store of ours, or a newer one.
// UNAVAILABLE: it cannot be opened.
absl::StatusOr<Connection> OpenStore(const std::string& path, const std::string& vfs,
                                     Durability durability, Connection::Mode mode,
                                     int64_t* found = nullptr);

// The version of the tables that `connection` shows, 0 where there are none yet. Writes nothing.
// FAILED_PRECONDITION: it is no store of ours, or a newer one.
absl::StatusOr<int64_t> VersionOf(Connection& connection, const std::string& path);

// Opens a store for reading alone, of any version up to ours, while a server uses it or not. Errors
// as above.
absl::StatusOr<Connection> OpenStoreToRead(const std::string& path);

// What a deleted showtime's row is named: this and its key, in digits. Ids have no control
// characters. In the order of names they come before every showtime.
inline constexpr char kDeletedNames[] = "\x01";
inline constexpr char kAfterDeletedNames[] = "\x02";

// The row of `meta`.
struct Meta {
  std::string generation;
  uint64_t commits = 0;
  bool is_copy = false;
  int64_t latest_ms = 0;  // commit time of the newest change; WriteMeta leaves it alone
};

// DATA_LOSS: there is none.
absl::StatusOr<Meta> ReadMeta(const Connection& connection);

// Writes `meta`. In a transaction of its own unless one is open.
absl::Status WriteMeta(Connection& connection, const Meta& meta);

// `commits` as it is stored.
std::array<uint8_t, 8> CommitsBytes(uint64_t commits);

}  // namespace seatlock::log
