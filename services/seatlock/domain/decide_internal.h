// What the parts of Decide share. Not for use outside domain/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "services/seatlock/domain/decide.h"

namespace seatlock::domain::internal {

// Seats of a command, each once. Point into the command, or into what it was resolved to.
using SeatRefs = absl::InlinedVector<const SeatId*, 8>;

// `seats` without repeats, in order of their first place.
SeatRefs Distinct(const std::vector<SeatId>& seats);

// What every rule looks at.
struct Scene {
  const Showtime& showtime;
  int64_t now_ms;
  const Rules& rules;

  // The seat as it stands at now_ms: none where only grants are left that are forgotten by then.
  std::optional<SeatView> Find(const SeatId& seat) const {
    std::optional<SeatView> view = showtime.FindSeat(seat);
    if (view && IsForgotten(*view, now_ms)) return std::nullopt;
    return view;
  }

  Answer Unchanged() const { return {.revision = showtime.revision()}; }

  Change NewChange(Cause cause) const {
    return {.revision = showtime.revision().Next(), .commit_ms = now_ms, .cause = cause};
  }
};

// What a command would make the showtime remember besides its request_id, whether or not it is
// refused for another reason.
struct Needs {
  size_t unseen_seats = 0;  // named, and not in the tables
  size_t orders = 0;
};

inline bool LockedBy(const std::optional<SeatView>& seat, const SessionId& session) {
  return seat && seat->status == SeatStatus::kLocked && seat->session == session;
}

inline SeatStatus StatusOf(const std::optional<SeatView>& seat) {
  return seat ? seat->status : SeatStatus::kAvailable;
}

// The lock as it stands.
inline SeatAfter LockAfter(const SeatView& seat) {
  return {.seat = seat.seat,
          .status = SeatStatus::kLocked,
          .session = seat.session,
          .expire_ms = seat.expire_ms,
          .fence = seat.fence};
}

inline SeatAfter FreedAfter(const SeatId& seat, const SessionId& before) {
  return {.seat = seat, .status = SeatStatus::kAvailable, .session = before};
}

// A refusal for `conflicts`, which are not empty: its reason is the first among theirs.
Refusal Conflicted(std::vector<Conflict> conflicts);

Refusal Refuse(Reason reason, std::string message);

inline Refusal ShowtimeClosed() {
  return Refuse(Reason::kShowtimeClosed, "the showtime is closed for sale");
}

// kOverloaded if the showtime, or the session's share of it, has no room for what `command`, which
// is not answered without a change, would make it remember (limits.h).
std::optional<Refusal> NoRoom(const Scene& scene, const Command& command, const Needs& needs);

// Each says in `needs` what it would take; the caller asks NoRoom. The Change leaves
// Change::request to the caller; the Answer's locks are in the order asked for.
Decision Decide(const Scene& scene, const LockSeats& command, Needs& needs);
Decision Decide(const Scene& scene, const UnlockSeats& command, Needs& needs);
Decision Decide(const Scene& scene, const ExtendLocks& command, Needs& needs);
Decision Decide(const Scene& scene, const BookSeats& command, Needs& needs);
Decision Decide(const Scene& scene, const CancelBooking& command, Needs& needs);
Decision Decide(const Scene& scene, const ExpireLocks& command, Needs& needs);
Decision Decide(const Scene& scene, const BlockSeats& command, Needs& needs);
Decision Decide(const Scene& scene, const UnblockSeats& command, Needs& needs);
Decision Decide(const Scene& scene, const ReleaseSeats& command, Needs& needs);
Decision Decide(const Scene& scene, const CloseShowtime& command, Needs& needs);

}  // namespace seatlock::domain::internal
