// The rules of SeatLock: Decide holds every one, Showtime::Apply (showtime.h) holds none.
//
// Pure functions: no clock, no I/O, no threads. `now_ms` is the later of the clock and the
// showtime's last commit (Unix time, milliseconds); the caller sees to that.
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
// lapsed is an Answer.
Decision Decide(const Showtime& showtime, const Command& command, int64_t now_ms,
                const Rules& rules);

// The answer to `command`, which made `change`: the same when it was made and when it is replayed.
Answer AnswerFor(const Command& command, const Change& change);

}  // namespace seatlock::domain
