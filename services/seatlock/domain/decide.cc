#include "services/seatlock/domain/decide.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/domain/decide_internal.h"

namespace seatlock::domain {
namespace internal {

SeatRefs Distinct(const std::vector<SeatId>& seats) {
  SeatRefs distinct;
  distinct.reserve(seats.size());
  if (seats.size() <= 8) {
    for (const SeatId& seat : seats) {
      const bool repeated = std::any_of(distinct.begin(), distinct.end(),
                                        [&](const SeatId* other) { return *other == seat; });
      if (!repeated) distinct.push_back(&seat);
    }
    return distinct;
  }
  absl::flat_hash_set<absl::string_view> seen;
  seen.reserve(seats.size());
  for (const SeatId& seat : seats) {
    if (seen.insert(seat.value()).second) distinct.push_back(&seat);
  }
  return distinct;
}

Refusal Refuse(Reason reason, std::string message) {
  Refusal refusal;
  refusal.reason = reason;
  refusal.message = std::move(message);
  return refusal;
}

Refusal Conflicted(std::vector<Conflict> conflicts) {
  const auto first =
      std::min_element(conflicts.begin(), conflicts.end(),
                       [](const Conflict& a, const Conflict& b) { return a.reason < b.reason; });
  Refusal refusal;
  refusal.reason = first->reason;
  switch (first->reason) {
    case Reason::kOrderMismatch:
      refusal.message = "a seat never was in the order, or was cancelled out of it";
      break;
    case Reason::kSeatTaken:
      refusal.message = "a seat is locked by another, booked or blocked";
      break;
    case Reason::kNotLockHolder:
      refusal.message = "a seat is not, or no longer, locked by this session";
      break;
    default:
      refusal.message = "a seat was granted to another session after the fence";
      break;
  }
  refusal.conflicts = std::move(conflicts);
  return refusal;
}

namespace {

// The answer to a request_id that is remembered, none where the command is to be decided.
std::optional<Decision> Repeated(const Scene& scene, const RequestKey& key) {
  const std::optional<RequestEntry> made = scene.showtime.FindRequest(key.id);
  if (!made || IsForgotten(*made, scene.now_ms)) return std::nullopt;
  if (made->key.body_hash == key.body_hash) return Replay{made->revision};
  return Refuse(Reason::kRequestIdReused, "the request_id was used for another request");
}

}  // namespace
}  // namespace internal

Decision Decide(const Showtime& showtime, const Command& command, int64_t now_ms,
                const Rules& rules) {
  const internal::Scene scene{showtime, std::max(now_ms, showtime.commit_ms()), rules};
  std::optional<RequestKey> key;
  if (command.request_id) {
    key = RequestKey{*command.request_id, BodyHash(command)};
    if (auto repeated = internal::Repeated(scene, *key)) return *std::move(repeated);
  }
  internal::Needs needs;
  Decision decision = std::visit(
      [&](const auto& body) { return internal::Decide(scene, body, needs); }, command.body);
  if (std::holds_alternative<Answer>(decision)) return decision;  // nothing is remembered of it
  if (auto refusal = internal::NoRoom(scene, command, needs)) return *std::move(refusal);
  if (auto* change = std::get_if<Change>(&decision)) {
    change->request = std::move(key);
    change->principal = command.principal;
  }
  return decision;
}

namespace {

// The locks of `change` and those that it left, in the order in which `seats` names them first.
// Both parts of the change are in that order.
std::vector<Lock> LocksInOrder(const std::vector<SeatId>& seats, const Change& change) {
  std::vector<Lock> locks;
  auto changed = change.seats.begin();
  auto unchanged = change.unchanged.begin();
  auto take = [&](const SeatAfter& lock) {
    locks.push_back({lock.seat, lock.session, lock.expire_ms, lock.fence});
  };
  for (const SeatId& seat : seats) {
    if (changed != change.seats.end() && changed->seat == seat) {
      take(*changed++);
    } else if (unchanged != change.unchanged.end() && unchanged->seat == seat) {
      take(*unchanged++);
    }
  }
  return locks;
}

// Every seat that the change names, ordered.
std::vector<SeatId> SeatsOf(const Change& change) {
  std::vector<SeatId> seats = change.kept;
  seats.reserve(change.seats.size() + change.unchanged.size() + change.kept.size());
  for (const SeatAfter& seat : change.seats) seats.push_back(seat.seat);
  for (const SeatAfter& seat : change.unchanged) seats.push_back(seat.seat);
  std::sort(seats.begin(), seats.end());
  return seats;
}

}  // namespace

Answer AnswerFor(const Command& command, const Change& change) {
  Answer answer{.revision = change.revision};
  if (const auto* lock = std::get_if<LockSeats>(&command.body)) {
    answer.locks = LocksInOrder(lock->seats, change);
  } else if (const auto* extend = std::get_if<ExtendLocks>(&command.body)) {
    answer.locks = LocksInOrder(extend->all ? SeatsOf(change) : extend->seats, change);
  } else if (std::holds_alternative<BookSeats>(command.body)) {
    answer.order_seats = SeatsOf(change);
  } else if (std::holds_alternative<ReleaseSeats>(command.body)) {
    answer.released = SeatsOf(change);
  }
  return answer;
}

}  // namespace seatlock::domain
