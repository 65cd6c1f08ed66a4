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
// A store is exclusive (only this process can write it: memory, SQLite) or shared (any number of
// servers write it: Redis). On a shared store what this server has in memory may be old, so what
// rests on no append of its own is said only once the head was confirmed: by an append without
// records, which answers as any other. What plain reads give (Read, Load) may lie beyond what is
// durable, or be of a history that is rewritten a moment later: it is shown only up to a head that
// was confirmed after the read, and only if the generation is still the same.
//
// Errors of the callbacks' Status: UNAVAILABLE, the store cannot be reached or written now, and
// nothing was done; DATA_LOSS, what is stored does not fit its chain.
#pragma once

#include <cstdint>
#include <functional>
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
  // Revisions follow expected.revision, chains follow expected.chain. None: a confirmation, which
  // changes nothing and says whether `expected` is still the head.
  std::vector<StoredRecord> records;
  // When the showtime next needs attention (its earliest expiry, Unix milliseconds), none for
  // never. Takes the place of what was stored; of no meaning in a confirmation.
  std::optional<int64_t> wake_ms;
  // Whether the records take seats that were free or hold them for longer. A store that runs out
  // of room refuses these (kNoRoom), and takes what sells or gives back for as long as it can.
  bool takes_room = false;
  // Whether somebody waits for them who sells. A store in which appends wait takes these first; no
  // showtime has two appends under way, so that changes the order of none.
  bool sells = false;
};

struct AppendResult {
  enum class Outcome {
    kAppended,     // durable, as is all before it; `head` is the new head
    kConflict,     // nothing done: `head` is another than expected, `missed` what led to it
    kNotAppended,  // nothing done: `status` says why
    kNoRoom,       // nothing done, because the store is short of room; only if takes_room
    kUnknown,  // may or may not be there. Exclusive: call Recover, then read. Shared: append the
               // same again, which tells
  };
  Outcome outcome = Outcome::kNotAppended;
  Head head;
  // kConflict: the records after expected.revision, as many as one page holds, verified against
  // expected.chain. Empty where they are no longer kept, or where `rewritten`.
  std::vector<StoredRecord> missed;
  // kConflict: `expected` is not in the history: it was rewritten, or the showtime deleted.
  bool rewritten = false;
  // kAppended and kConflict of a shared store: its generation when it answered.
  std::string generation;
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

// How far a server has heard what changed in a shared store: a number a partition, the store's own.
using ChangeMark = std::vector<uint64_t>;

struct ChangedShowtimes {
  std::vector<domain::ShowtimeId> showtimes;  // in no order; may name some that have not changed
  ChangeMark mark;                            // to ask with the next time
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
  // The revision that the showtime is said to have; 0 if that is not known.
  using HintCallback = std::function<void(const domain::ShowtimeId&, domain::Revision)>;
  using ChangedCallback = absl::AnyInvocable<void(absl::StatusOr<ChangedShowtimes>) &&>;
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

  // After an unknown outcome of an exclusive store: when `done` is called with OK, no append
  // submitted before can land any more, and reads show what has landed.
  virtual void Recover(StatusCallback done) = 0;

  // The showtimes that have records, in byte order of their ids: those after `after`, at most
  // `limit` (at least 1) and kListedMax. Ask again with the last one for more; fewer than were
  // asked for: there are no more. A damaged showtime is listed, too.
  virtual void List(domain::ShowtimeId after, size_t limit, ListCallback done) = 0;

  // Makes the showtime one that never was, damaged or not: no record, no snapshot, no wake time.
  // OK also if it was none. An append that expects one of its heads gets a conflict without missed
  // records. Its next history needs another epoch. UNAVAILABLE: it may be done or not, ask again.
  virtual void Delete(domain::ShowtimeId showtime, StatusCallback done) = 0;

  // As Due from the start, and hands each of them to one asker: its wake time becomes `now_ms` +
  // `lease_ms`, so that nobody else is told of it until then, and somebody is if this server dies.
  // For shared stores alone, as all below down to ChangedSince: what is written here is that of an
  // exclusive store.
  virtual void ClaimDue(int64_t /*now_ms*/, size_t /*limit*/, int64_t /*lease_ms*/,
                        DueCallback done) {
    std::move(done)(NotShared());
  }

  // Whether this process alone can write the store while the log is open. Immutable.
  virtual bool exclusive() const { return true; }

  // From now on `hint` is called, on any thread, for each showtime of which there
  // may be something new. Hints may be late, doubled or lost. nullptr: no more; when the call
  // returns, none is under way.
  virtual void Follow(HintCallback /*hint*/) {}

  // The showtimes that have changed since `mark` was given. For hints that were lost; ask once a
  // second. A default mark: nothing is told, only the mark to go on from.
  virtual void ChangedSince(ChangeMark /*mark*/, ChangedCallback done) {
    std::move(done)(NotShared());
  }

  // The identity of the store's history as a whole: another one whenever the history may have been
  // rewritten, as by a restored backup or a failover. Never empty. An exclusive store's is
  // immutable while the log is open; a shared store's is the one of its latest answer. Does not
  // block.
  virtual std::string Generation() const = 0;

  // The commit time of the newest change of any showtime when the log was opened, Unix
  // milliseconds; 0 if there is none or the store cannot tell. Time goes on from there, wherever
  // the clock is.
  virtual int64_t LatestCommitMs() const = 0;

  // Whether appends are likely to succeed now; for readiness. Does not touch the store.
  virtual bool Healthy() const = 0;

  // Why Healthy() is false, in one line for operators: bounded, and without a password.
  virtual std::string WhyUnhealthy() const { return "the store cannot be written"; }

  // For metrics; neither touches the store. Bytes of calls that wait for it, or of a shared one
  // also those under way; bytes in the write-ahead log, for a store that has one.
  virtual size_t QueuedBytes() const { return 0; }
  virtual size_t WalBytes() const { return 0; }

  // How often the store was found to be well again: rises with each time that Healthy becomes true.
  // Who waits after a failure need wait no longer.
  virtual uint64_t Returns() const = 0;

 private:
  static absl::Status NotShared() { return absl::UnimplementedError("the store is not shared"); }
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
