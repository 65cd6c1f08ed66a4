#include "services/seatlock/log/sqlite/write_session.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "services/seatlock/log/sqlite/limits.h"
#include "services/seatlock/log/sqlite/schema.h"

namespace seatlock::log {

using domain::Revision;
using domain::ShowtimeId;

namespace {

int64_t Signed(Revision revision) {
  return static_cast<int64_t>(revision.value());
}

template <size_t N>
std::string_view View(const std::array<uint8_t, N>& bytes) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// A write that failed has perhaps half been done: whatever the error, the session ends.
absl::Status WriteError(const absl::Status& status) {
  return status.ok() ? status : absl::UnavailableError(status.message());
}

int OnCommit(void* pages, sqlite3*, const char*, int wal_pages) {
  *static_cast<int*>(pages) = wal_pages;
  return SQLITE_OK;
}

}  // namespace

WriteSession::WriteSession(Connection connection, Reader reader, int checkpoint_pages)
    : checkpoint_pages_(checkpoint_pages),
      connection_(std::move(connection)),
      reader_(std::move(reader)),
      checkpoint_at_(checkpoint_pages) {
  sqlite3_wal_hook(connection_.get(), &OnCommit, &wal_pages_);
}

absl::StatusOr<std::unique_ptr<WriteSession>> WriteSession::Create(Connection connection,
                                                                   int checkpoint_pages) {
  absl::StatusOr<Reader> reader = Reader::Create(connection);
  if (!reader.ok()) return reader.status();
  std::unique_ptr<WriteSession> session(
      new WriteSession(std::move(connection), *std::move(reader), checkpoint_pages));
  if (absl::Status status = session->PrepareAll(); !status.ok()) return status;
  absl::StatusOr<Meta> meta = ReadMeta(session->connection_);
  if (!meta.ok()) return meta.status();
  session->commits_ = meta->commits;
  session->latest_ms_ = meta->latest_ms;
  return session;
}

absl::Status WriteSession::PrepareAll() {
  const std::pair<Statement*, const char*> statements[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&insert_showtime_,
       "INSERT INTO showtimes(name, epoch, base_revision, base_chain, seen_revision, wake_ms) "
       "VALUES (?, ?, 0, ?, ?, ?)"},
      {&update_wake_, "UPDATE showtimes SET wake_ms = ?, seen_revision = ? WHERE key = ?"},
      {&insert_record_,
       "INSERT INTO records(showtime, revision, commit_ms, chain, seal, bytes) "
       "VALUES (?, ?, ?, ?, ?, ?)"},
      {&insert_snapshot_,
       "INSERT OR REPLACE INTO snapshots(showtime, revision, epoch, chain, hash, bytes) "
       "VALUES (?, ?, ?, ?, ?, ?)"},
      {&drop_snapshots_,
       "DELETE FROM snapshots WHERE showtime = ?1 AND revision NOT IN "
       "(SELECT revision FROM snapshots WHERE showtime = ?1 ORDER BY revision DESC LIMIT 2)"},
      {&trim_bound_,
       "SELECT min(revision) FROM records "
       "WHERE showtime = ? AND revision > ? AND revision <= ? AND commit_ms >= ?"},
      {&trim_, "DELETE FROM records WHERE showtime = ? AND revision <= ?"},
      {&update_base_, "UPDATE showtimes SET base_revision = ?, base_chain = ? WHERE key = ?"},
      {&update_commits_, "UPDATE meta SET commits = ?, latest_ms = ?"},
      {&probe_, "UPDATE meta SET probe = 1 - probe"},
      {&delete_, "UPDATE showtimes SET name = ? || key, wake_ms = NULL WHERE name = ?"},
      {&deleted_key_, "SELECT key FROM showtimes WHERE name < ? LIMIT 1"},
      {&clear_records_,
       "DELETE FROM records WHERE showtime = ?1 AND revision <= "
       "(SELECT min(revision) + ?2 - 1 FROM records WHERE showtime = ?1)"},
      {&clear_snapshot_,
       "DELETE FROM snapshots WHERE showtime = ?1 AND revision = "
       "(SELECT min(revision) FROM snapshots WHERE showtime = ?1)"},
      {&clear_showtime_, "DELETE FROM showtimes WHERE key = ?"},
  };
  for (const auto& [statement, sql] : statements) {
    absl::StatusOr<Statement> prepared = Statement::Prepare(connection_, sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

absl::Status WriteSession::Begin() {
  const absl::Status status = Query(begin_).Run();
  changes_before_ = sqlite3_total_changes(connection_.get());
  if (!status.ok() && connection_.IsBusy()) return absl::FailedPreconditionError(status.message());
  return WriteError(status);
}

absl::Status WriteSession::WriteCommits(uint64_t commits) {
  const std::array<uint8_t, 8> bytes = CommitsBytes(commits);
  return WriteError(Query(update_commits_).Blob(View(bytes)).Int(latest_ms_).Run());
}

absl::Status WriteSession::Commit() {
  const bool changed = sqlite3_total_changes(connection_.get()) != changes_before_;
  absl::Status status = changed ? WriteCommits(commits_ + 1) : absl::OkStatus();
  if (status.ok()) status = WriteError(Query(commit_).Run());
  if (status.ok() && changed) ++commits_;
  return status;
}

absl::Status WriteSession::Rollback() {
  known_.clear();
  // After some errors SQLite has rolled back by itself.
  if (sqlite3_get_autocommit(connection_.get()) != 0) return absl::OkStatus();
  return WriteError(connection_.Exec("ROLLBACK"));
}

absl::Status WriteSession::Probe() {
  absl::Status status = Begin();
  if (!status.ok()) return status;
  status = WriteError(Query(probe_).Run());
  return status.ok() ? WriteError(Query(commit_).Run()) : status;
}

absl::StatusOr<WriteSession::Known*> WriteSession::Find(const ShowtimeId& showtime) {
  auto found = known_.find(showtime);
  if (found != known_.end()) return &found->second;
  absl::StatusOr<std::optional<ShowtimeRow>> row = reader_.FindShowtime(showtime);
  if (!row.ok()) return row.status();
  if (!*row) return nullptr;
  absl::StatusOr<Head> head = reader_.HeadOf(showtime, **row);
  if (!head.ok()) return head.status();
  return Remember(showtime, Known{.row = **std::move(row), .head = *std::move(head)});
}

WriteSession::Known* WriteSession::Remember(const ShowtimeId& showtime, Known known) {
  if (known_.size() >= kKnownShowtimesMax) known_.erase(known_.begin());
  return &known_.insert_or_assign(showtime, std::move(known)).first->second;
}

absl::StatusOr<AppendResult> WriteSession::Append(const AppendRequest& request) {
  absl::StatusOr<Known*> found = Find(request.showtime);
  if (!found.ok()) return found.status();
  Known* known = *found;
  if (request.expected != (known == nullptr ? Head{} : known->head)) {
    return ConflictOf(request, known);
  }
  if (request.records.empty()) {
    AppendResult confirmed;
    confirmed.outcome = AppendResult::Outcome::kAppended;
    confirmed.head = request.expected;
    return confirmed;
  }
  const StoredRecord& last = request.records.back();
  const Head head{.epoch = request.epoch, .revision = last.revision, .chain = last.chain};
  absl::Status status;
  if (known == nullptr) {
    Known created;
    status = InsertShowtime(request, created);
    if (status.ok()) known = Remember(request.showtime, std::move(created));
  } else if (known->row.wake_ms != request.wake_ms) {
    status = UpdateWake(request, known->row);
  }
  if (status.ok()) status = InsertRecords(known->row.key, request);
  if (!status.ok()) return WriteError(status);
  known->head = head;
  AppendResult result;
  result.outcome = AppendResult::Outcome::kAppended;
  result.head = head;
  return result;
}

absl::StatusOr<AppendResult> WriteSession::ConflictOf(const AppendRequest& request,
                                                      const Known* known) {
  AppendResult result;
  result.outcome = AppendResult::Outcome::kConflict;
  result.rewritten = known == nullptr;
  if (known == nullptr) return result;
  result.head = known->head;
  absl::StatusOr<bool> shared =
      reader_.InHistory(request.showtime, known->row, known->head, request.expected);
  if (!shared.ok()) return shared.status();
  const bool trimmed =
      request.expected.revision < known->row.base && request.expected.epoch == known->head.epoch;
  result.rewritten = !*shared && !trimmed;
  if (!*shared) return result;
  absl::StatusOr<Page> missed = reader_.PageFrom(request.showtime, known->row, known->head,
                                                 request.expected.revision.Next(), kPageRecordsMax);
  if (!missed.ok()) return missed.status();
  result.missed = std::move(missed->records);
  return result;
}

absl::Status WriteSession::InsertShowtime(const AppendRequest& request, Known& known) {
  ShowtimeRow& row = known.row;
  row.epoch = request.epoch;
  row.base_chain = ChainStart(request.showtime, request.epoch);
  row.seen = request.records.back().revision;
  row.wake_ms = request.wake_ms;
  Query query(insert_showtime_);
  query.Text(request.showtime.value()).Text(row.epoch.value()).Blob(View(row.base_chain));
  query.Int(Signed(row.seen));
  row.wake_ms ? query.Int(*row.wake_ms) : query.Null();
  if (absl::Status status = query.Run(); !status.ok()) return status;
  row.key = sqlite3_last_insert_rowid(connection_.get());
  return absl::OkStatus();
}

absl::Status WriteSession::UpdateWake(const AppendRequest& request, ShowtimeRow& row) {
  row.wake_ms = request.wake_ms;
  row.seen = request.records.back().revision;
  Query query(update_wake_);
  row.wake_ms ? query.Int(*row.wake_ms) : query.Null();
  return query.Int(Signed(row.seen)).Int(row.key).Run();
}

absl::Status WriteSession::InsertRecords(int64_t key, const AppendRequest& request) {
  for (const StoredRecord& record : request.records) {
    const std::array<uint8_t, 8> seal = SealOf(record.chain, record.commit_ms);
    Query query(insert_record_);
    query.Int(key).Int(Signed(record.revision)).Int(record.commit_ms);
    query.Blob(View(record.chain)).Blob(View(seal)).Blob(record.bytes);
    if (absl::Status status = query.Run(); !status.ok()) return status;
    latest_ms_ = std::max(latest_ms_, record.commit_ms);
  }
  return absl::OkStatus();
}

absl::Status WriteSession::SaveSnapshot(const ShowtimeId& showtime,
                                        const StoredSnapshot& snapshot) {
  absl::StatusOr<Known*> known = Find(showtime);
  if (!known.ok()) return known.status();
  absl::StatusOr<bool> kept = false;
  if (*known != nullptr && snapshot.head.revision.value() > 0) {
    kept = reader_.InHistory(showtime, (*known)->row, (*known)->head, snapshot.head);
  }
  if (!kept.ok()) return kept.status();
  if (!*kept) {
    return absl::FailedPreconditionError("the snapshot is not of this showtime's history");
  }
  const Head& head = snapshot.head;
  const int64_t key = (*known)->row.key;
  const Chain hash = ChainNext(head.chain, head.revision, snapshot.bytes);
  Query insert(insert_snapshot_);
  insert.Int(key).Int(Signed(head.revision)).Text(head.epoch.value());
  insert.Blob(View(head.chain)).Blob(View(hash)).Blob(snapshot.bytes);
  if (absl::Status status = insert.Run(); !status.ok()) return WriteError(status);
  return WriteError(Query(drop_snapshots_).Int(key).Run());
}

absl::StatusOr<Revision> WriteSession::TrimTarget(const ShowtimeId& showtime, const Known& known,
                                                  int64_t before_ms, uint64_t keep) {
  const Revision base = known.row.base;
  absl::StatusOr<std::vector<Head>> snapshots = reader_.SnapshotHeads(showtime, known.row);
  if (!snapshots.ok()) return snapshots.status();
  if (snapshots->size() < 2 || known.head.revision.value() <= keep) return base;
  for (const Head& position : *snapshots) {
    absl::StatusOr<bool> kept = reader_.InHistory(showtime, known.row, known.head, position);
    if (!kept.ok()) return kept.status();
    if (!*kept) return base;  // a snapshot that cannot be used must not cost records
  }
  const uint64_t bound =
      std::min({snapshots->back().revision.value(), known.head.revision.value() - keep,
                base.value() + kTrimRecordsMax});
  if (bound <= base.value()) return base;
  Query query(trim_bound_);
  query.Int(known.row.key).Int(Signed(base)).Int(static_cast<int64_t>(bound)).Int(before_ms);
  absl::StatusOr<bool> row = query.Step();
  if (!row.ok()) return row.status();
  if (query.IsNull(0)) return Revision(bound);
  return Revision(static_cast<uint64_t>(query.IntAt(0)) - 1);
}

absl::Status WriteSession::Trim(const ShowtimeId& showtime, int64_t before_ms, uint64_t keep,
                                bool& more) {
  more = false;
  absl::StatusOr<Known*> found = Find(showtime);
  if (!found.ok()) return found.status();
  if (*found == nullptr) return absl::OkStatus();
  Known& known = **found;
  absl::StatusOr<Revision> target = TrimTarget(showtime, known, before_ms, keep);
  if (!target.ok()) return target.status();
  if (*target <= known.row.base) return absl::OkStatus();
  absl::StatusOr<Chain> chain = reader_.ChainAt(showtime, known.row, *target);
  if (!chain.ok()) return chain.status();
  more = target->value() - known.row.base.value() == kTrimRecordsMax;
  absl::Status status = Query(trim_).Int(known.row.key).Int(Signed(*target)).Run();
  if (status.ok()) {
    status = Query(update_base_).Int(Signed(*target)).Blob(View(*chain)).Int(known.row.key).Run();
  }
  known.row.base = *target;
  known.row.base_chain = *chain;
  return WriteError(status);
}

absl::Status WriteSession::Delete(const ShowtimeId& showtime) {
  known_.erase(showtime);
  return WriteError(Query(delete_).Text(kDeletedNames).Text(showtime.value()).Run());
}

absl::StatusOr<std::optional<int64_t>> WriteSession::DeletedKey() {
  Query query(deleted_key_);
  absl::StatusOr<bool> row = query.Text(kAfterDeletedNames).Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<int64_t>();
  return std::optional<int64_t>(query.IntAt(0));
}

absl::StatusOr<bool> WriteSession::HasDeleted() {
  absl::StatusOr<std::optional<int64_t>> key = DeletedKey();
  if (!key.ok()) return key.status();
  return key->has_value();
}

// The row goes last: as long as it is there, its key is nobody else's.
absl::Status WriteSession::ClearDeleted(bool& more) {
  more = false;
  absl::StatusOr<std::optional<int64_t>> key = DeletedKey();
  if (!key.ok()) return WriteError(key.status());
  if (!*key) return absl::OkStatus();
  more = true;
  for (Statement* statement : {&clear_records_, &clear_snapshot_, &clear_showtime_}) {
    Query query(*statement);
    query.Int(**key);
    if (statement == &clear_records_) query.Int(static_cast<int64_t>(kTrimRecordsMax));
    if (absl::Status status = query.Run(); !status.ok()) return WriteError(status);
    if (sqlite3_changes(connection_.get()) > 0) return absl::OkStatus();
  }
  return absl::OkStatus();
}

bool WriteSession::NeedsCheckpoint() {
  if (wal_pages_ < checkpointed_pages_) {  // it was begun anew
    checkpoint_at_ = checkpoint_pages_;
    checkpointed_pages_ = 0;
  }
  return wal_pages_ >= checkpoint_at_;
}

absl::StatusOr<bool> WriteSession::Checkpoint() {
  // Where a reader keeps old pages in use, not at each commit again.
  checkpoint_at_ = wal_pages_ + checkpoint_pages_;
  checkpointed_pages_ = wal_pages_;
  int in_log = 0, moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             &in_log, &moved);
  if ((code & 0xff) == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) return WriteError(connection_.Error("checkpoint"));
  return in_log == moved;
}

}  // namespace seatlock::log
