// The port behind which stores lie: an append-only log of records per showtime.
//
// A store knows no seat: records and snapshots are bytes to it. It keeps, per showtime, an epoch,
// records 1, 2, 3 ... (the oldest may be trimmed), up to two snapshots and a wake time. Each
// record is chained (chain.h); a head is (epoch, revision, chain), so that a history that was
// rewritten is noticed.
//
// Thread-safe. No call blocks; each calls back exactly once, on a thread of the store's choosing,
// possibly before the call returns: call without locks held. Callbacks must be short. A log is
// destroyed only after every callback has returned.
//
// Errors of the callbacks' Status: UNAVAILABLE, the store cannot be reached or written now, and
// nothing was done; DATA_LOSS, what is stored does not fit its chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/domain/types.h"
#include "services/seatlock/log/chain.h"

namespace seatlock::log {

// Where a showtime's history ends. For a showtime without records: revision 0 and the rest empty.
struct Head {
  domain::Epoch epoch;
  domain::Revision revision;
  Chain chain{};

  friend bool operator==(const Head&, const Head&) = default;
};

// A stored record. `bytes` is a serialised seatlock.log.v1.Record, kept as it was hashed.
struct StoredRecord {
  domain::Revision revision;
  int64_t commit_ms = 0;  // as in the record; trimming goes by it
  Chain chain{};          // after this record
  std::string bytes;

  friend bool operator==(const StoredRecord&, const StoredRecord&) = default;
};

struct AppendRequest {
  domain::ShowtimeId showtime;
  // The records go in only if this is the showtime's head.
  Head expected;
  // The epoch of the records: expected.epoch, or a new one where expected.revision is 0.
  domain::Epoch epoch;
  // At least one; revisions follow expected.revision, chains follow expected.chain.
  std::vector<StoredRecord> records;
  // When the showtime next needs attention (its earliest expiry, Unix milliseconds), none for
  // never. Takes the place of what was stored.
  std::optional<int64_t> wake_ms;
};

struct AppendResult {
  enum class Outcome {
    kAppended,     // durable; `head` is the new head
    kConflict,     // nothing done: `head` is another than expected, `missed` what led to it
    kNotAppended,  // nothing done: `status` says why
    kUnknown,      // may or may not be there: call Recover, then read
  };
  Outcome outcome = Outcome::kNotAppended;
  Head head;
  // kConflict: the records after expected.revision, as many as one page holds; empty where
  // expected is not in the history at all.
  std::vector<StoredRecord> missed;
  absl::Status status;
};

struct StoredSnapshot {
  Head head;          // the position that it stands for
  std::string bytes;  // a serialised seatlock.log.v1.Snapshot

  friend bool operator==(const StoredSnapshot&, const StoredSnapshot&) = default;
};

struct Page {
  // The showtime's head when the page was read.
  Head head;
  // The oldest revision that is still kept; head.revision + 1 where none is.
  domain::Revision oldest;
  // Consecutive, starting at the revision asked for; verified against the chain. Empty where that
  // revision is above the head or below `oldest`.
  std::vector<StoredRecord> records;
};

struct LoadResult {
  Head head;
  std::optional<StoredSnapshot> snapshot;  // the newest
  // The first page of records after the snapshot, or from 1 where there is none.
  Page tail;
};

// A showtime whose wake time has come.
struct DueShowtime {
  domain::ShowtimeId showtime;
  int64_t wake_ms = 0;

  friend bool operator==(const DueShowtime&, const DueShowtime&) = default;
};

// A place in the order of what is due: by wake time, then by the showtime's id, byte by byte. The
// default is before all.
struct DueCursor {
  int64_t wake_ms = INT64_MIN;
  domain::ShowtimeId showtime;
};

// A showtime as List gives it.
struct ListedShowtime {
  domain::ShowtimeId showtime;
  // Of revision 0 if what is stored is so damaged that it does not tell.
  Head head;
  int64_t last_commit_ms = 0;  // of the newest record; 0 if damaged

  friend bool operator==(const ListedShowtime&, const ListedShowtime&) = default;
};

class ShowtimeLog {
 public:
  using AppendCallback = absl::AnyInvocable<void(AppendResult) &&>;
  using PageCallback = absl::AnyInvocable<void(absl::StatusOr<Page>) &&>;
  using LoadCallback = absl::AnyInvocable<void(absl::StatusOr<LoadResult>) &&>;
  using DueCallback = absl::AnyInvocable<void(absl::StatusOr<std::vector<DueShowtime>>) &&>;
  using ListCallback = absl::AnyInvocable<void(absl::StatusOr<std::vector<ListedShowtime>>) &&>;
  using StatusCallback = absl::AnyInvocable<void(absl::Status) &&>;

  virtual ~ShowtimeLog() = default;

  // Appends if the head is still `request.expected`. Appends of many showtimes may share one
  // transaction, yet each has its own result. The caller has at most one append per showtime
  // under way.
  virtual void Append(AppendRequest request, AppendCallback done) = 0;

  // Reads records from revision `from` (at least 1): at most `max_records` (at least 1), at most
  // `kPageRecordsMax` and about `kPageBytesMax` a page. Ask again with the next revision for more.
  virtual void Read(domain::ShowtimeId showtime, domain::Revision from, size_t max_records,
                    PageCallback done) = 0;

  // Reads what is needed to rebuild the state: the newest snapshot and the first page after it,
  // from one consistent view. A snapshot that is not in the history is passed over.
  virtual void Load(domain::ShowtimeId showtime, LoadCallback done) = 0;

  // Keeps a snapshot, in place of the second newest. One whose head is not in the showtime's
  // history is refused with FAILED_PRECONDITION.
  virtual void SaveSnapshot(domain::ShowtimeId showtime, StoredSnapshot snapshot,
                            StatusCallback done) = 0;

  // Forgets records that are older than `before_ms`, are not among the last `keep`, and lie at or
  // below the older of two snapshots (with fewer snapshots nothing is trimmed). Chains of what
  // is left still verify.
  virtual void Trim(domain::ShowtimeId showtime, int64_t before_ms, uint64_t keep,
                    StatusCallback done) = 0;

  // Showtimes whose wake time is at or before `now_ms`, in the order of DueCursor, at most `limit`,
  // and only those after `after`. Ask again with the last one as cursor for more.
  virtual void Due(int64_t now_ms, size_t limit, DueCursor after, DueCallback done) = 0;

  // After an unknown outcome: when `done` is called with OK, no append submitted before can land
  // any more, and reads show what has landed.
  virtual void Recover(StatusCallback done) = 0;

  // The showtimes that have records, in byte order of their ids: those after `after`, at most
  // `limit` (at least 1) and kListedMax. Ask again with the last one for more; fewer than were
  // asked for: there are no more. A damaged showtime is listed, too.
  virtual void List(domain::ShowtimeId after, size_t limit, ListCallback done) = 0;

  // Makes the showtime one that never was, damaged or not: no record, no snapshot, no wake time.
  // OK also if it was none. An append that expects one of its heads gets a conflict without missed
  // records. Its next history needs another epoch. UNAVAILABLE: it may be done or not, ask again.
  virtual void Delete(domain::ShowtimeId showtime, StatusCallback done) = 0;

  // The identity of the store's history as a whole: another one whenever the history may have been
  // rewritten, as by a restored backup. Never empty. Immutable while the log is open. Does not
  // block.
  virtual std::string Generation() const = 0;

  // The commit time of the newest change of any showtime when the log was opened, Unix
  // milliseconds; 0 if there is none or the store cannot tell. Time goes on from there, wherever
  // the clock is.
  virtual int64_t LatestCommitMs() const = 0;

  // Whether appends are likely to succeed now; for readiness. Does not touch the store.
  virtual bool Healthy() const = 0;

  // How often the store was found to be well again: rises with each time that Healthy becomes true.
  // Who waits after a failure need wait no longer.
  virtual uint64_t Returns() const = 0;
};

// What a store mints for a generation, as hexadecimal digits: nobody meets one twice.
inline constexpr size_t kGenerationBytes = 8;

// Bounds of a page: long reads go page by page, so that they hold up neither the writer nor
// checkpoints. 1,000 records of one seat are about 150 KiB.
inline constexpr size_t kPageRecordsMax = 1000;
inline constexpr size_t kPageBytesMax = 1 << 20;
// Showtimes that List gives at once: each costs a store some look-ups, 9 us in SQLite.
inline constexpr size_t kListedMax = 1000;

}  // namespace seatlock::log
