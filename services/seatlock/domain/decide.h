// The rules of SeatLock: Decide holds every one, Showtime::Apply (showtime.h) holds none.
//
// Pure functions: no clock, no I/O, no threads. `now_ms` is the clock's Unix time in milliseconds;
// where it lies before the showtime's last commit, Decide takes that instead, so that time never
// runs backwards in a showtime.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "services/seatlock/domain/command.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/refusal.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/domain/types.h"

namespace seatlock::domain {

// What an operator may set.
struct Rules {
  uint32_t max_session_seats = kSessionSeatsDefault;
  int64_t max_lock_age_ms = kLockAgeMsMax;
};

// What a caller is told. Which fields are used depends on the command.
struct Answer {
  Revision revision{};
  std::vector<Lock> locks{};          // LockSeats, ExtendLocks
  std::vector<SeatId> order_seats{};  // BookSeats: all that the order has, ordered
  std::vector<SeatId> released{};     // ReleaseSeats: whose locks were taken away, ordered
};

// The command was made already by the change at `revision`, whose answer is to be given again
// (AnswerFor, with the change read from the log).
struct Replay {
  Revision revision{};
};

// Change: to be appended at the showtime's head, then applied. Answer: success, nothing changes.
using Decision = std::variant<Change, Answer, Refusal, Replay>;

// The fields of `command` that are out of bounds, none where all are in.
std::vector<FieldViolation> Validate(const Command& command);

// Decides `command`, whose fields were validated, on `showtime` as it stands. A lapsed lock still
// stands in the way: where showtime.earliest_expire_ms() <= now_ms, decide and apply ExpireLocks
// first, so that EXPIRED is a change of its own before the takeover. ExpireLocks with nothing
// lapsed is an Answer; with more than kExpiredPerChangeMax it frees the earliest: ask again.
//
// - Seats named twice count once, at their first place; answers keep the order of the command, and
//   with `all` that of the seat ids.
// - A refusal names every seat in the way, each with its own reason; the refusal's is the first of
//   them in the order of Reason. kOverloaded comes before all of them, for a command that needs
//   room which is not there (limits.h); one that would change nothing, or whose request_id is
//   remembered, needs none and is answered.
// - Only changes are remembered by their request_id; refusals and Answers are decided anew. What
//   is older than its memory (limits.h) counts for nothing, even where Apply still keeps it.
// - Fences are checked against grants of locks alone, whoever booked the seat since.
// - A seat that was cancelled out of an order never returns to it, and an order that is closed
//   answers every cancel with success.
// - A closed showtime gives no lock and no time, and sells only what the session holds. Unlocks,
//   cancellations and all that operators do are as ever.
Decision Decide(const Showtime& showtime, const Command& command, int64_t now_ms,
                const Rules& rules);

// The answer to `command`, which made `change`: the same when it was made and when it is replayed.
Answer AnswerFor(const Command& command, const Change& change);

}  // namespace seatlock::domain
