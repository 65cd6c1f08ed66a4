#include "services/seatlock/log/sqlite/schema.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {
namespace {

// STRICT: SQLite then keeps a column's type, so bytes read are bytes. Names are compared as bytes.
constexpr char kCreate[] = R"sql(
  CREATE TABLE showtimes(
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    base_revision INTEGER NOT NULL,
    base_chain BLOB NOT NULL,
    seen_revision INTEGER NOT NULL,
    wake_ms INTEGER
  ) STRICT;
  CREATE TABLE records(
    showtime INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    commit_ms INTEGER NOT NULL,
    chain BLOB NOT NULL,
    seal BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY(showtime, revision)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE snapshots(
    showtime INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    chain BLOB NOT NULL,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY(showtime, revision)
  ) STRICT;
)sql";

// What version 2 added, for a new file and for one of version 1. The index serves Due page by page.
constexpr char kUpgradeTo2[] = R"sql(
  DROP INDEX IF EXISTS showtimes_by_wake;
  CREATE INDEX showtimes_by_wake ON showtimes(wake_ms, name) WHERE wake_ms IS NOT NULL;
  CREATE TABLE meta(
    id INTEGER PRIMARY KEY CHECK(id = 1),
    generation TEXT NOT NULL,
    commits BLOB NOT NULL,
    is_copy INTEGER NOT NULL,
    probe INTEGER NOT NULL,
    latest_ms INTEGER NOT NULL
  ) STRICT;
)sql";

absl::Status NotOurs(const std::string& path, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(path, " is not a SeatLock store: ", why));
}

}  // namespace

absl::StatusOr<int64_t> VersionOf(Connection& connection, const std::string& path) {
  absl::StatusOr<int64_t> tables = connection.Int("SELECT count(*) FROM sqlite_schema");
  if (absl::IsDataLoss(tables.status())) return NotOurs(path, tables.status().message());
  if (!tables.ok()) return tables.status();
  absl::StatusOr<int64_t> application = connection.Int("PRAGMA application_id");
  if (!application.ok()) return application.status();
  absl::StatusOr<int64_t> version = connection.Int("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (*tables == 0 && *application == 0 && *version == 0) return 0;
  if (*application != kApplicationId) return NotOurs(path, "it is another program's database");
  if (*version > kSchemaVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " was written by a newer SeatLock: its schema version is ", *version,
                     ", this program knows up to ", kSchemaVersion));
  }
  if (*version < 1) return NotOurs(path, "its schema version is unknown");
  return *version;
}

namespace {

absl::Status InUse() {
  return absl::UnavailableError(
      "another program reads or writes the store's file, and this start has to write it: end that "
      "first");
}

absl::Status Configure(Connection& connection, Durability durability) {
  // wal_autocheckpoint is 0: the writer checkpoints by itself, after it has acknowledged.
  // journal_size_limit: what a burst has grown the write-ahead log to is given back.
  absl::StatusOr<Statement> wal = Statement::Prepare(connection, "PRAGMA journal_mode=WAL");
  if (!wal.ok()) return wal.status();
  {
    Query query(*wal);
    absl::StatusOr<bool> row = query.Step();
    // A copy, which is one file without a write-ahead log, is written by whoever makes it a store.
    if (!row.ok() && connection.IsBusy()) return InUse();
    if (!row.ok()) return row.status();
    if (!*row || query.BytesAt(0) != "wal") {
      return absl::FailedPreconditionError(
          "the store's file system or kind of file allows no write-ahead log");
    }
  }
  for (const char* pragma :
       {"PRAGMA wal_autocheckpoint=0", "PRAGMA journal_size_limit=67108864",
        "PRAGMA secure_delete=OFF", "PRAGMA temp_store=MEMORY", "PRAGMA cache_size=-8192",
        durability == Durability::kFull ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF"}) {
    if (absl::Status status = connection.Exec(pragma); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Brings a file of version `found` up to date, in one transaction.
absl::Status Upgrade(Connection& connection, int64_t found) {
  const std::string sql = absl::StrCat(
      "BEGIN IMMEDIATE;", found == 0 ? kCreate : "", kUpgradeTo2,
      "INSERT INTO meta(id, generation, commits, is_copy, probe, latest_ms) SELECT 1, '",
      base::RandomHex(kGenerationBytes),
      "', zeroblob(8), 0, 0, ifnull(max(commit_ms), 0) FROM records;PRAGMA application_id=",
      kApplicationId, ";PRAGMA user_version=", kSchemaVersion, ";COMMIT;");
  if (connection.Exec(sql.c_str()).ok()) return absl::OkStatus();
  return connection.IsBusy() ? InUse()
                             : connection.Error("the tables cannot be brought up to date");
}

}  // namespace

absl::StatusOr<Connection> OpenStore(const std::string& path, const std::string& vfs,
                                     Durability durability, Connection::Mode mode, int64_t* found) {
  absl::StatusOr<Connection> connection = Connection::Open(path, vfs, mode);
  if (!connection.ok()) return connection;
  absl::StatusOr<int64_t> version = VersionOf(*connection, path);
  if (!version.ok()) return version.status();
  absl::Status status = Configure(*connection, durability);
  if (status.ok() && *version < kSchemaVersion) status = Upgrade(*connection, *version);
  if (!status.ok()) return status;
  if (found != nullptr) *found = *version;
  return connection;
}

absl::StatusOr<Connection> OpenStoreToRead(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_type type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::none) {
    return absl::UnavailableError(absl::StrCat("cannot look at ", path, ": ", error.message()));
  }
  if (type != std::filesystem::file_type::regular) {
    return absl::FailedPreconditionError(path + " is not there, or is no file");
  }
  // Without a write-ahead log nobody has it open, and it can be read where nothing can be written.
  const bool is_one_file = !std::filesystem::exists(path + "-wal", error);
  absl::StatusOr<Connection> connection = is_one_file
                                              ? Connection::OpenMainAlone(path, "")
                                              : Connection::Open(path, "", Connection::Mode::kRead);
  if (!connection.ok()) return connection;
  absl::StatusOr<int64_t> version = VersionOf(*connection, path);
  if (!version.ok()) return version.status();
  if (*version == 0) return NotOurs(path, "it is empty");
  absl::Status status = connection->Exec("PRAGMA cache_size=-32768");
  if (!status.ok()) return status;
  return connection;
}

absl::StatusOr<Meta> ReadMeta(const Connection& connection) {
  absl::StatusOr<Statement> statement =
      Statement::Prepare(connection, "SELECT generation, commits, is_copy, latest_ms FROM meta");
  if (!statement.ok()) return statement.status();
  Query query(*statement);
  absl::StatusOr<bool> row = query.Step();
  if (!row.ok()) return row.status();
  Meta meta;
  if (*row) meta.generation = std::string(query.BytesAt(0));
  if (meta.generation.empty() || query.BytesAt(1).size() != 8) {
    return absl::DataLossError("the store has no generation");
  }
  for (const char byte : query.BytesAt(1)) {
    meta.commits = meta.commits << 8 | static_cast<uint8_t>(byte);
  }
  meta.is_copy = query.IntAt(2) != 0;
  meta.latest_ms = query.IntAt(3);
  return meta;
}

absl::Status WriteMeta(Connection& connection, const Meta& meta) {
  absl::StatusOr<Statement> statement =
      Statement::Prepare(connection, "UPDATE meta SET generation = ?, commits = ?, is_copy = ?");
  if (!statement.ok()) return statement.status();
  const std::array<uint8_t, 8> commits = CommitsBytes(meta.commits);
  Query query(*statement);
  query.Text(meta.generation);
  query.Blob({reinterpret_cast<const char*>(commits.data()), commits.size()});
  return query.Int(meta.is_copy ? 1 : 0).Run();
}

std::array<uint8_t, 8> CommitsBytes(uint64_t commits) {
  std::array<uint8_t, 8> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(commits >> (56 - 8 * i));
  }
  return bytes;
}

}  // namespace seatlock::log
