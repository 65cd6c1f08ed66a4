#include "services/seatlock/log/sqlite/inspect.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/sqlite/schema.h"

namespace seatlock::log {

using domain::Revision;
using domain::ShowtimeId;

absl::StatusOr<std::unique_ptr<Inspection>> Inspection::Open(const std::string& path) {
  absl::StatusOr<OneMoment> moment = OneMoment::Open(path);
  if (!moment.ok()) return moment.status();
  absl::StatusOr<Reader> reader = Reader::Create(moment->connection());
  if (!reader.ok()) return reader.status();
  return std::unique_ptr<Inspection>(new Inspection(path, *std::move(moment), *std::move(reader)));
}

absl::Status Inspection::CheckStore() {
  absl::StatusOr<Statement> statement =
      Statement::Prepare(moment_.connection(), "PRAGMA integrity_check(1)");
  if (!statement.ok()) return statement.status();
  Query query(*statement);
  absl::StatusOr<bool> row = query.Step();
  if (!row.ok()) return row.status();
  if (!*row || query.BytesAt(0) != "ok") {
    return absl::DataLossError(
        absl::StrCat("the file is damaged: ", std::string(query.BytesAt(0))));
  }
  absl::StatusOr<int64_t> version = moment_.connection().Int("PRAGMA user_version");
  if (!version.ok()) return version.status();
  // A file of version 1 gets its generation when it is opened.
  return *version < 2 ? absl::OkStatus() : ReadMeta(moment_.connection()).status();
}

absl::StatusOr<int64_t> Inspection::ShowtimeCount() {
  return moment_.connection().Int(
      absl::StrCat("SELECT count(*) FROM showtimes WHERE name > '", kAfterDeletedNames, "'")
          .c_str());
}

absl::StatusOr<std::vector<ShowtimeId>> Inspection::Showtimes(const ShowtimeId& after,
                                                              size_t limit) {
  return reader_.Names(after, limit);
}

absl::StatusOr<std::optional<Inspection::History>> Inspection::Find(const ShowtimeId& showtime) {
  absl::StatusOr<std::optional<ShowtimeRow>> row = reader_.FindShowtime(showtime);
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<History>();
  absl::StatusOr<Head> head = reader_.HeadOf(showtime, **row);
  if (!head.ok()) return head.status();
  absl::StatusOr<std::vector<Head>> snapshots = reader_.SnapshotHeads(showtime, **row);
  if (!snapshots.ok()) return snapshots.status();
  found_ = showtime;
  row_ = **std::move(row);
  return History{.head = *head,
                 .oldest = row_.base.Next(),
                 .base = row_.base_chain,
                 .snapshots = *std::move(snapshots),
                 .wake_ms = row_.wake_ms};
}

absl::StatusOr<ShowtimeRow> Inspection::RowOf(const ShowtimeId& showtime) {
  if (showtime == found_) return row_;
  absl::StatusOr<std::optional<ShowtimeRow>> row = reader_.FindShowtime(showtime);
  if (!row.ok()) return row.status();
  if (!*row) return absl::NotFoundError("no such showtime");
  return **std::move(row);
}

absl::StatusOr<Page> Inspection::Records(const ShowtimeId& showtime, const History& history,
                                         Revision from) {
  const absl::StatusOr<ShowtimeRow> row = RowOf(showtime);
  if (!row.ok()) return row.status();
  return reader_.PageFrom(showtime, *row, history.head, from, kPageRecordsMax);
}

absl::StatusOr<StoredSnapshot> Inspection::Snapshot(const ShowtimeId& showtime,
                                                    const History& history, const Head& position) {
  const absl::StatusOr<ShowtimeRow> row = RowOf(showtime);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> kept = reader_.InHistory(showtime, *row, history.head, position);
  if (!kept.ok()) return kept.status();
  if (!*kept) return absl::NotFoundError("a snapshot of another history");
  return reader_.SnapshotAt(showtime, *row, position);
}

}  // namespace seatlock::log
