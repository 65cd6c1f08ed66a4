// What is stored, read and verified: the queries that the reading thread and the writer share.
//
// Thread-compatible. A call that reads more than one row wants a transaction around it, so that it
// sees one state; the writer has one open, the reading thread calls the methods of ReadSession.
//
// Errors: UNAVAILABLE; DATA_LOSS, naming showtime and revision, where what was read does not fit
// its chain. What cannot be noticed: newest records cut off, where no snapshot, no wake time
// written since and no record above them tells that they were there.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "services/seatlock/log/showtime_log.h"
#include "services/seatlock/log/sqlite/connection.h"

namespace seatlock::log {

// A row of `showtimes`.
struct ShowtimeRow {
  int64_t key = 0;
  domain::Epoch epoch;
  domain::Revision base;
  Chain base_chain{};
  domain::Revision seen;
  std::optional<int64_t> wake_ms;
};

class Reader {
 public:
  static absl::StatusOr<Reader> Create(const Connection& connection);

  // None: a showtime without records.
  absl::StatusOr<std::optional<ShowtimeRow>> FindShowtime(const domain::ShowtimeId& showtime);

  absl::StatusOr<Head> HeadOf(const domain::ShowtimeId& showtime, const ShowtimeRow& row);

  // The page from `from` on, at most `max_records` and kPageRecordsMax. `head` is HeadOf's.
  absl::StatusOr<Page> PageFrom(const domain::ShowtimeId& showtime, const ShowtimeRow& row,
                                const Head& head, domain::Revision from, size_t max_records);

  // Whether `position` is where the history once stood, as far as it is kept. The position before
  // the first record always is.
  absl::StatusOr<bool> InHistory(const domain::ShowtimeId& showtime, const ShowtimeRow& row,
                                 const Head& head, const Head& position);

  // The chain of `revision`, which is kept or the newest that was trimmed.
  absl::StatusOr<Chain> ChainAt(const domain::ShowtimeId& showtime, const ShowtimeRow& row,
                                domain::Revision revision);

  // The positions of the snapshots, newest first.
  absl::StatusOr<std::vector<Head>> SnapshotHeads(const domain::ShowtimeId& showtime,
                                                  const ShowtimeRow& row);

  // The snapshot at `position`, one of SnapshotHeads.
  absl::StatusOr<StoredSnapshot> SnapshotAt(const domain::ShowtimeId& showtime,
                                            const ShowtimeRow& row, const Head& position);

  absl::StatusOr<Page> Read(const domain::ShowtimeId& showtime, domain::Revision from,
                            size_t max_records);
  absl::StatusOr<LoadResult> Load(const domain::ShowtimeId& showtime);
  absl::StatusOr<std::vector<DueShowtime>> Due(int64_t now_ms, size_t limit,
                                               const DueCursor& after);
  // As ShowtimeLog's. DATA_LOSS: the file is so damaged that it does not tell what there is.
  absl::StatusOr<std::vector<ListedShowtime>> List(const domain::ShowtimeId& after, size_t limit);
  // Only the ids. `limit` has no bound.
  absl::StatusOr<std::vector<domain::ShowtimeId>> Names(const domain::ShowtimeId& after,
                                                        size_t limit);

 private:
  Reader() = default;

  // The newest record, verified.
  absl::StatusOr<Page> NewestRecord(const domain::ShowtimeId& showtime);

  absl::StatusOr<std::optional<StoredSnapshot>> NewestSnapshot(const domain::ShowtimeId& showtime,
                                                               const ShowtimeRow& row,
                                                               const Head& head);
  Statement find_showtime_;
  Statement last_record_;
  Statement chain_at_;
  Statement page_;
  Statement snapshot_heads_;
  Statement snapshot_;
  Statement due_;
  Statement names_;
};

// A connection for reading alone, each call in a read transaction of its own.
class ReadSession {
 public:
  static absl::StatusOr<ReadSession> Create(Connection connection);

  absl::StatusOr<Page> Read(const domain::ShowtimeId& showtime, domain::Revision from,
                            size_t max_records);
  absl::StatusOr<LoadResult> Load(const domain::ShowtimeId& showtime);
  absl::StatusOr<std::vector<DueShowtime>> Due(int64_t now_ms, size_t limit,
                                               const DueCursor& after);
  absl::StatusOr<std::vector<ListedShowtime>> List(const domain::ShowtimeId& after, size_t limit);

  Connection& connection() { return connection_; }

 private:
  ReadSession(Connection connection, Reader reader, Statement begin, Statement end)
      : connection_(std::move(connection)),
        reader_(std::move(reader)),
        begin_(std::move(begin)),
        end_(std::move(end)) {}

  // `read` between BEGIN and COMMIT.
  template <typename F>
  auto InTransaction(F read) -> decltype(read());

  Connection connection_;
  Reader reader_;
  Statement begin_;
  Statement end_;
};

}  // namespace seatlock::log
