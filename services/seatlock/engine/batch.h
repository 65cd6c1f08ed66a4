// What goes through an actor: work, queries, and the batch that one append carries. Values that
// move with their callbacks; thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/base/executor.h"
#include "services/seatlock/domain/command.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/domain/undo.h"
#include "services/seatlock/engine/message.h"
#include "services/seatlock/engine/outcome.h"
#include "services/seatlock/engine/position.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::engine {

// A command and whom to tell.
struct Work {
  domain::Command command;  // its fields were validated
  // Whether the caller has gone (deadline, cancellation): then it is dropped undecided. May be
  // empty. Called without I/O, under the actor's lock.
  absl::AnyInvocable<bool() const> cancelled;
  // Called once, without locks.
  absl::AnyInvocable<void(Result) &&> done;
  int conflicts = 0;
};

// A showtime that is to be deleted, with all that was sold, and whom to tell.
struct Deletion {
  std::string principal;  // whose: see domain::Change::principal
  // As Work::cancelled. Once the store was asked, the showtime is deleted whoever has gone.
  absl::AnyInvocable<bool() const> cancelled;
  // Called once, without locks. None: the showtime is gone, or never was.
  absl::AnyInvocable<void(std::optional<Failure>) &&> done;
};

// A committed state to read from. Valid within the call alone.
struct View {
  const domain::Showtime& state;
  const domain::Epoch& epoch;  // as callers know it
  int64_t now_ms;  // the showtime's time: a lock that ends by then is over, also if it still stands
};

// A read of the committed state: all that was acknowledged before it was asked for is in it, and no
// lock that had lapsed by then.
struct Query {
  // Called under the actor's lock: copies what it needs, and returns what is to be run without it.
  absl::AnyInvocable<base::Task(const View&) &&> read;
  // Called instead, without locks.
  absl::AnyInvocable<void(Failure) &&> fail;
  // As Work::cancelled: then `fail` is called with kCancelled.
  absl::AnyInvocable<bool() const> cancelled;
  // Of a list: the showtime does not stay in memory for it.
  bool is_passing = false;
};

// Every taken seat at one revision. Immutable, shared by all who ask at that revision.
struct SeatSnapshot {
  Position position;
  std::vector<Bytes> seats;  // as WatchEncoder::AppendSeat made them, in order
  size_t seat_bytes = 0;
};

// A read of all seats, as of the committed state.
struct SnapshotQuery {
  // Called without locks.
  absl::AnyInvocable<void(std::shared_ptr<const SeatSnapshot>) &&> done;
  absl::AnyInvocable<void(Failure) &&> fail;
  absl::AnyInvocable<bool() const> cancelled;
};

// Commands that were decided together and the changes that they make.
struct Batch {
  struct ByChange {
    size_t index = 0;  // in `changes`
  };
  struct Again {};  // repeats a request of this batch: decided anew after the commit
  struct FromLog {  // repeats a request that the log has: its answer is read after the commit
    domain::Revision revision;
  };
  struct Waiting {
    Work work;
    // A Result rests on a batch-mate's change.
    std::variant<ByChange, Result, Again, FromLog> outcome;
  };

  log::Head before;
  log::Head after;
  std::vector<domain::Change> changes;     // none: a question (actor_phase.h)
  std::vector<domain::Undo> undos;         // of `changes`, if the store is shared
  std::vector<log::StoredRecord> records;  // of `changes`; moved into the append
  size_t bytes = 0;                        // of `records`
  // Whether the store may be asked to take this batch; none: not looked at yet.
  std::optional<bool> may_append;
  std::vector<Waiting> waiting;
  // How many of the actor's readers came before the batch: its commit serves them, so that locks
  // that lapse one after the other cannot keep a read waiting for ever.
  size_t readers = 0;
  int64_t started_us = 0;
  // Since when it may have landed in a shared store.
  std::optional<int64_t> may_land_since_ms;
};

// Whether it takes seats that were free, or holds them for longer.
bool TakesRoom(const Batch& batch);

// Whether somebody of the selling lane waits for it.
bool Sells(const Batch& batch);

// `change` as the record that follows `head`.
log::StoredRecord NextRecord(const log::Head& head, const domain::Change& change);
// The records of `batch`'s changes once more, for they were moved into an append.
std::vector<log::StoredRecord> RecordsOf(const domain::ShowtimeId& showtime, const Batch& batch);

}  // namespace seatlock::engine
