#include "services/seatlock/log/sqlite/reader.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "services/seatlock/log/sqlite/schema.h"
#include "services/seatlock/log/verify.h"

namespace seatlock::log {

using domain::Epoch;
using domain::Revision;
using domain::ShowtimeId;

namespace {

int64_t Signed(Revision revision) {
  return static_cast<int64_t>(revision.value());
}

Revision RevisionAt(const Query& query, int column) {
  return Revision(static_cast<uint64_t>(query.IntAt(column)));
}

// False where the column has another size: somebody else wrote it.
template <size_t N>
bool CopyAt(const Query& query, int column, std::array<uint8_t, N>& out) {
  const std::string_view bytes = query.BytesAt(column);
  if (bytes.size() != N) return false;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return true;
}

Page EmptyPage() {
  return Page{.head = {}, .oldest = Revision(1), .records = {}};
}

// The record that `query` stands on: (revision, commit_ms, chain, seal, bytes).
absl::Status RecordAt(const ShowtimeId& showtime, const Query& query, StoredRecord& record) {
  record.revision = RevisionAt(query, 0);
  record.commit_ms = query.IntAt(1);
  record.bytes = std::string(query.BytesAt(4));
  std::array<uint8_t, 8> seal;
  if (!CopyAt(query, 2, record.chain) || !CopyAt(query, 3, seal)) {
    return DataLoss(showtime, record.revision, "the record's chain has a wrong size");
  }
  if (seal != SealOf(record.chain, record.commit_ms)) {
    return DataLoss(showtime, record.revision, "the record's commit time does not fit its seal");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Reader> Reader::Create(const Connection& connection) {
  Reader reader;
  const std::pair<Statement*, const char*> statements[] = {
      {&reader.find_showtime_,
       "SELECT key, epoch, base_revision, base_chain, seen_revision, wake_ms FROM showtimes "
       "WHERE name = ?"},
      {&reader.last_record_,
       "SELECT revision, chain FROM records WHERE showtime = ? ORDER BY revision DESC LIMIT 1"},
      {&reader.chain_at_, "SELECT chain FROM records WHERE showtime = ? AND revision = ?"},
      {&reader.page_,
       "SELECT revision, commit_ms, chain, seal, bytes FROM records "
       "WHERE showtime = ? AND revision >= ? ORDER BY revision LIMIT ?"},
      {&reader.snapshot_heads_,
       "SELECT revision, epoch, chain FROM snapshots WHERE showtime = ? ORDER BY revision DESC"},
      {&reader.snapshot_, "SELECT hash, bytes FROM snapshots WHERE showtime = ? AND revision = ?"},
      {&reader.due_,
       "SELECT name, wake_ms FROM showtimes WHERE wake_ms IS NOT NULL AND wake_ms <= ? "
       "AND (wake_ms, name) > (?, ?) ORDER BY wake_ms, name LIMIT ?"},
      {&reader.names_, "SELECT name FROM showtimes WHERE name > ? ORDER BY name LIMIT ?"},
  };
  for (const auto& [statement, sql] : statements) {
    absl::StatusOr<Statement> prepared = Statement::Prepare(connection, sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return reader;
}

absl::StatusOr<std::optional<ShowtimeRow>> Reader::FindShowtime(const ShowtimeId& showtime) {
  Query query(find_showtime_);
  absl::StatusOr<bool> found = query.Text(showtime.value()).Step();
  if (!found.ok()) return found.status();
  if (!*found) return std::optional<ShowtimeRow>();
  ShowtimeRow row;
  row.key = query.IntAt(0);
  row.epoch = Epoch(query.BytesAt(1));
  row.base = RevisionAt(query, 2);
  if (!CopyAt(query, 3, row.base_chain)) {
    return DataLoss(showtime, row.base, "the trimmed records' chain has a wrong size");
  }
  row.seen = RevisionAt(query, 4);
  if (!query.IsNull(5)) row.wake_ms = query.IntAt(5);
  return std::optional<ShowtimeRow>(std::move(row));
}

absl::StatusOr<Head> Reader::HeadOf(const ShowtimeId& showtime, const ShowtimeRow& row) {
  Query query(last_record_);
  absl::StatusOr<bool> found = query.Int(row.key).Step();
  if (!found.ok()) return found.status();
  Head head{.epoch = row.epoch, .revision = row.base, .chain = row.base_chain};
  if (*found) {
    head.revision = RevisionAt(query, 0);
    if (!CopyAt(query, 1, head.chain)) {
      return DataLoss(showtime, head.revision, "the record's chain has a wrong size");
    }
  }
  // The row came with its first record, and trimming keeps the newest.
  if (!*found || head.revision < row.seen) {
    return DataLoss(showtime, std::max(row.seen, head.revision.Next()), "the record is missing");
  }
  return head;
}

absl::StatusOr<Chain> Reader::ChainAt(const ShowtimeId& showtime, const ShowtimeRow& row,
                                      Revision revision) {
  if (revision == row.base) return row.base_chain;
  Query query(chain_at_);
  absl::StatusOr<bool> found = query.Int(row.key).Int(Signed(revision)).Step();
  if (!found.ok()) return found.status();
  if (!*found) return DataLoss(showtime, revision, "the record is missing");
  Chain chain;
  if (!CopyAt(query, 0, chain)) {
    return DataLoss(showtime, revision, "the record's chain has a wrong size");
  }
  return chain;
}

absl::StatusOr<Page> Reader::PageFrom(const ShowtimeId& showtime, const ShowtimeRow& row,
                                      const Head& head, Revision from, size_t max_records) {
  Page page{.head = head, .oldest = row.base.Next(), .records = {}};
  if (from < page.oldest || from > head.revision) return page;
  absl::StatusOr<Chain> before = ChainAt(showtime, row, Revision(from.value() - 1));
  if (!before.ok()) return before.status();
  Query query(page_);
  query.Int(row.key).Int(Signed(from));
  query.Int(static_cast<int64_t>(std::min(max_records, kPageRecordsMax)));
  size_t bytes = 0;
  while (bytes < kPageBytesMax) {
    absl::StatusOr<bool> more = query.Step();
    if (!more.ok()) return more.status();
    if (!*more) break;
    StoredRecord& record = page.records.emplace_back();
    if (absl::Status status = RecordAt(showtime, query, record); !status.ok()) return status;
    bytes += record.bytes.size();
  }
  absl::Status status = VerifyRecords(showtime, *before, from, page.records);
  if (!status.ok()) return status;
  return page;
}

absl::StatusOr<bool> Reader::InHistory(const ShowtimeId& showtime, const ShowtimeRow& row,
                                       const Head& head, const Head& position) {
  if (position == Head{}) return true;
  if (position.epoch != row.epoch || position.revision.value() == 0) return false;
  if (position.revision < row.base || position.revision > head.revision) return false;
  absl::StatusOr<Chain> chain = ChainAt(showtime, row, position.revision);
  if (!chain.ok()) return chain.status();
  return *chain == position.chain;
}

absl::StatusOr<std::vector<Head>> Reader::SnapshotHeads(const ShowtimeId& showtime,
                                                        const ShowtimeRow& row) {
  std::vector<Head> heads;
  Query query(snapshot_heads_);
  query.Int(row.key);
  for (;;) {
    absl::StatusOr<bool> more = query.Step();
    if (!more.ok()) return more.status();
    if (!*more) return heads;
    Head& head = heads.emplace_back();
    head.revision = RevisionAt(query, 0);
    head.epoch = Epoch(query.BytesAt(1));
    if (!CopyAt(query, 2, head.chain)) {
      return DataLoss(showtime, head.revision, "the snapshot's chain has a wrong size");
    }
  }
}

absl::StatusOr<StoredSnapshot> Reader::SnapshotAt(const ShowtimeId& showtime,
                                                  const ShowtimeRow& row, const Head& position) {
  Query query(snapshot_);
  absl::StatusOr<bool> found = query.Int(row.key).Int(Signed(position.revision)).Step();
  if (!found.ok()) return found.status();
  if (!*found) return DataLoss(showtime, position.revision, "the snapshot is missing");
  StoredSnapshot snapshot{.head = position, .bytes = std::string(query.BytesAt(1))};
  Chain hash;
  if (!CopyAt(query, 0, hash) ||
      hash != ChainNext(position.chain, position.revision, snapshot.bytes)) {
    return DataLoss(showtime, position.revision, "the snapshot does not fit its hash");
  }
  return snapshot;
}

absl::StatusOr<std::optional<StoredSnapshot>> Reader::NewestSnapshot(const ShowtimeId& showtime,
                                                                     const ShowtimeRow& row,
                                                                     const Head& head) {
  absl::StatusOr<std::vector<Head>> positions = SnapshotHeads(showtime, row);
  if (!positions.ok()) return positions.status();
  for (const Head& position : *positions) {
    if (position.epoch == row.epoch && position.revision > head.revision) {
      return DataLoss(showtime, position.revision, "the record is missing below a snapshot");
    }
    absl::StatusOr<bool> kept = InHistory(showtime, row, head, position);
    if (!kept.ok()) return kept.status();
    if (!*kept) continue;
    absl::StatusOr<StoredSnapshot> snapshot = SnapshotAt(showtime, row, position);
    if (!snapshot.ok()) return snapshot.status();
    return std::optional<StoredSnapshot>(*std::move(snapshot));
  }
  if (row.base.value() > 0) {
    return DataLoss(showtime, row.base, "the record is trimmed and no snapshot is left");
  }
  return std::optional<StoredSnapshot>();
}

absl::StatusOr<Page> Reader::Read(const ShowtimeId& showtime, Revision from, size_t max_records) {
  absl::StatusOr<std::optional<ShowtimeRow>> row = FindShowtime(showtime);
  if (!row.ok()) return row.status();
  if (!*row) return EmptyPage();
  absl::StatusOr<Head> head = HeadOf(showtime, **row);
  if (!head.ok()) return head.status();
  return PageFrom(showtime, **row, *head, from, max_records);
}

absl::StatusOr<LoadResult> Reader::Load(const ShowtimeId& showtime) {
  LoadResult result{.head = {}, .snapshot = std::nullopt, .tail = EmptyPage()};
  absl::StatusOr<std::optional<ShowtimeRow>> row = FindShowtime(showtime);
  if (!row.ok()) return row.status();
  if (!*row) return result;
  absl::StatusOr<Head> head = HeadOf(showtime, **row);
  if (!head.ok()) return head.status();
  absl::StatusOr<std::optional<StoredSnapshot>> snapshot = NewestSnapshot(showtime, **row, *head);
  if (!snapshot.ok()) return snapshot.status();
  const Revision after = *snapshot ? (*snapshot)->head.revision : Revision(0);
  absl::StatusOr<Page> tail = PageFrom(showtime, **row, *head, after.Next(), kPageRecordsMax);
  if (!tail.ok()) return tail.status();
  result.head = *head;
  result.snapshot = *std::move(snapshot);
  result.tail = *std::move(tail);
  return result;
}

absl::StatusOr<std::vector<DueShowtime>> Reader::Due(int64_t now_ms, size_t limit,
                                                     const DueCursor& after) {
  std::vector<DueShowtime> due;
  Query query(due_);
  query.Int(now_ms).Int(after.wake_ms).Text(after.showtime.value());
  query.Int(static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX)));
  for (;;) {
    absl::StatusOr<bool> more = query.Step();
    if (!more.ok()) return more.status();
    if (!*more) return due;
    due.push_back({.showtime = ShowtimeId(query.BytesAt(0)), .wake_ms = query.IntAt(1)});
  }
}

absl::StatusOr<std::vector<ShowtimeId>> Reader::Names(const ShowtimeId& after, size_t limit) {
  std::vector<ShowtimeId> names;
  Query query(names_);
  query.Text(std::max<std::string_view>(after.value(), kAfterDeletedNames));
  query.Int(static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX)));
  for (;;) {
    absl::StatusOr<bool> more = query.Step();
    if (!more.ok()) return more.status();
    if (!*more) return names;
    names.emplace_back(query.BytesAt(0));
  }
}

absl::StatusOr<Page> Reader::NewestRecord(const ShowtimeId& showtime) {
  absl::StatusOr<std::optional<ShowtimeRow>> row = FindShowtime(showtime);
  if (!row.ok()) return row.status();
  if (!*row) return EmptyPage();
  absl::StatusOr<Head> head = HeadOf(showtime, **row);
  if (!head.ok()) return head.status();
  return PageFrom(showtime, **row, *head, head->revision, 1);
}

absl::StatusOr<std::vector<ListedShowtime>> Reader::List(const ShowtimeId& after, size_t limit) {
  absl::StatusOr<std::vector<ShowtimeId>> names = Names(after, std::min(limit, kListedMax));
  if (!names.ok()) return names.status();
  std::vector<ListedShowtime> listed;
  for (ShowtimeId& name : *names) {
    absl::StatusOr<Page> newest = NewestRecord(name);
    if (!newest.ok() && !absl::IsDataLoss(newest.status())) return newest.status();
    ListedShowtime& added = listed.emplace_back();
    added.showtime = std::move(name);
    if (!newest.ok() || newest->records.empty()) continue;  // damaged
    added.head = newest->head;
    added.last_commit_ms = newest->records.back().commit_ms;
  }
  return listed;
}

absl::StatusOr<ReadSession> ReadSession::Create(Connection connection) {
  absl::StatusOr<Reader> reader = Reader::Create(connection);
  if (!reader.ok()) return reader.status();
  absl::StatusOr<Statement> begin = Statement::Prepare(connection, "BEGIN");
  if (!begin.ok()) return begin.status();
  absl::StatusOr<Statement> end = Statement::Prepare(connection, "COMMIT");
  if (!end.ok()) return end.status();
  return ReadSession(std::move(connection), *std::move(reader), *std::move(begin), *std::move(end));
}

template <typename F>
auto ReadSession::InTransaction(F read) -> decltype(read()) {
  if (absl::Status status = Query(begin_).Run(); !status.ok()) return status;
  auto result = read();
  // Some errors have ended the transaction already; another COMMIT would fail without harm.
  if (sqlite3_get_autocommit(connection_.get()) == 0) {
    if (absl::Status status = Query(end_).Run(); !status.ok()) return status;
  }
  return result;
}

absl::StatusOr<Page> ReadSession::Read(const ShowtimeId& showtime, Revision from,
                                       size_t max_records) {
  return InTransaction([&] { return reader_.Read(showtime, from, max_records); });
}

absl::StatusOr<LoadResult> ReadSession::Load(const ShowtimeId& showtime) {
  return InTransaction([&] { return reader_.Load(showtime); });
}

absl::StatusOr<std::vector<DueShowtime>> ReadSession::Due(int64_t now_ms, size_t limit,
                                                          const DueCursor& after) {
  return InTransaction([&] { return reader_.Due(now_ms, limit, after); });
}

absl::StatusOr<std::vector<ListedShowtime>> ReadSession::List(const ShowtimeId& after,
                                                              size_t limit) {
  return InTransaction([&] { return reader_.List(after, limit); });
}

}  // namespace seatlock::log
