// Locks: taking, swapping, freeing, extending, lapsing.
#include <algorithm>
#include <limits>
#include <utility>

#include "services/seatlock/domain/decide_internal.h"

namespace seatlock::domain::internal {
namespace {

// The locks as they stand of seats that are all locked.
Answer StandingLocks(const Scene& scene, const SeatRefs& seats) {
  Answer answer = scene.Unchanged();
  answer.locks.reserve(seats.size());
  for (const SeatId* seat : seats) {
    const SeatView lock = *scene.Find(*seat);
    answer.locks.push_back({lock.seat, lock.session, lock.expire_ms, lock.fence});
  }
  return answer;
}

// None where the session may lock `grants` more seats after giving back `released`.
std::optional<Refusal> OverSessionLimit(const Scene& scene, const LockSeats& command, size_t grants,
                                        size_t released) {
  if (grants == 0) return std::nullopt;
  uint32_t limit = scene.rules.max_session_seats;
  if (command.max_session_seats > 0) limit = std::min(limit, command.max_session_seats);
  const size_t held = scene.showtime.HeldCount(command.session);
  if (held - released + grants <= limit) return std::nullopt;
  Refusal refusal = Refuse(Reason::kSessionSeatLimit, "the session may not lock that many seats");
  refusal.limit = limit;
  refusal.held = static_cast<uint32_t>(held);
  return refusal;
}

// The seats that an unlock or extend is about: `all` is what `held` is filled with.
SeatRefs Named(const Scene& scene, const SessionId& session, const std::vector<SeatId>& seats,
               bool all, std::vector<SeatId>& held) {
  if (!all) return Distinct(seats);
  held = scene.showtime.HeldBy(session);
  SeatRefs refs;
  for (const SeatId& seat : held) refs.push_back(&seat);
  return refs;
}

}  // namespace

Decision Decide(const Scene& scene, const LockSeats& command, Needs& needs) {
  const SeatRefs seats = Distinct(command.seats);
  const int64_t age_end_ms = scene.now_ms + scene.rules.max_lock_age_ms;
  const int64_t expire_ms =
      std::min(scene.now_ms + command.ttl_ms.value_or(kTtlMsDefault), age_end_ms);
  Change change = scene.NewChange(Cause::kLock);
  std::vector<Conflict> conflicts;
  for (const SeatId* seat : seats) {
    const std::optional<SeatView> found = scene.Find(*seat);
    if (LockedBy(found, command.session)) {
      change.unchanged.push_back(LockAfter(*found));
    } else if (StatusOf(found) == SeatStatus::kAvailable) {
      if (!found) ++needs.unseen_seats;
      change.seats.push_back({.seat = *seat,
                              .status = SeatStatus::kLocked,
                              .session = command.session,
                              .expire_ms = expire_ms,
                              .fence = Fence(change.revision.value())});
    } else {
      conflicts.push_back({*seat, found->status, Reason::kSeatTaken});
    }
  }
  if (!conflicts.empty()) return Conflicted(std::move(conflicts));

  const size_t grants = change.seats.size();
  for (const SeatId* seat : Distinct(command.release)) {
    if (!LockedBy(scene.Find(*seat), command.session)) continue;
    change.seats.push_back(FreedAfter(*seat, command.session));
  }
  const size_t released = change.seats.size() - grants;
  if (grants > 0 && scene.showtime.closed()) return ShowtimeClosed();
  if (auto refusal = OverSessionLimit(scene, command, grants, released)) return *refusal;
  if (change.seats.empty()) return StandingLocks(scene, seats);
  if (released > 0) change.cause = Cause::kSwap;
  return change;
}

Decision Decide(const Scene& scene, const UnlockSeats& command, Needs&) {
  std::vector<SeatId> held;
  Change change = scene.NewChange(Cause::kUnlock);
  std::vector<Conflict> conflicts;
  for (const SeatId* seat : Named(scene, command.session, command.seats, command.all, held)) {
    const std::optional<SeatView> found = scene.Find(*seat);
    if (LockedBy(found, command.session)) {
      change.seats.push_back(FreedAfter(*seat, command.session));
    } else if (StatusOf(found) != SeatStatus::kAvailable) {
      conflicts.push_back({*seat, found->status, Reason::kNotLockHolder});
    }
  }
  if (!conflicts.empty()) return Conflicted(std::move(conflicts));
  if (change.seats.empty()) return scene.Unchanged();
  return change;
}

Decision Decide(const Scene& scene, const ExtendLocks& command, Needs&) {
  std::vector<SeatId> held;
  const SeatRefs seats = Named(scene, command.session, command.seats, command.all, held);
  const int64_t wanted_ms = scene.now_ms + command.ttl_ms.value_or(kTtlMsDefault);
  Change change = scene.NewChange(Cause::kExtend);
  std::vector<Conflict> conflicts;
  std::optional<int64_t> max_expire_ms;
  for (const SeatId* seat : seats) {
    const std::optional<SeatView> found = scene.Find(*seat);
    if (!LockedBy(found, command.session)) {
      conflicts.push_back({*seat, StatusOf(found), Reason::kNotLockHolder});
      continue;
    }
    SeatAfter after = LockAfter(*found);
    if (wanted_ms <= after.expire_ms) {
      change.unchanged.push_back(std::move(after));
      continue;
    }
    const int64_t age_end_ms = found->granted_ms + scene.rules.max_lock_age_ms;
    if (wanted_ms > age_end_ms) {
      max_expire_ms = std::min(max_expire_ms.value_or(age_end_ms), age_end_ms);
    }
    after.expire_ms = wanted_ms;
    change.seats.push_back(std::move(after));
  }
  if (!conflicts.empty()) return Conflicted(std::move(conflicts));
  if (scene.showtime.closed()) return ShowtimeClosed();
  if (max_expire_ms) {
    Refusal refusal = Refuse(Reason::kExtendLimit, "the time reaches past the lock's greatest age");
    refusal.max_expire_ms = *max_expire_ms;
    return refusal;
  }
  if (change.seats.empty()) return StandingLocks(scene, seats);
  return change;
}

Decision Decide(const Scene& scene, const ExpireLocks&, Needs&) {
  Change change = scene.NewChange(Cause::kExpired);
  for (const SeatId& seat : scene.showtime.LapsedAt(scene.now_ms, kExpiredPerChangeMax)) {
    change.seats.push_back(FreedAfter(seat, scene.Find(seat)->session));
  }
  if (change.seats.empty()) return scene.Unchanged();
  return change;
}

}  // namespace seatlock::domain::internal
