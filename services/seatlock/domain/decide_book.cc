// Orders: booking and cancelling.
#include <algorithm>
#include <utility>

#include "services/seatlock/domain/decide_internal.h"

namespace seatlock::domain::internal {
namespace {

bool Contains(const std::vector<SeatId>& ordered, const SeatId& seat) {
  return std::binary_search(ordered.begin(), ordered.end(), seat);
}

Answer OrderAnswer(const Scene& scene, const OrderEntry& order) {
  Answer answer = scene.Unchanged();
  answer.order_seats = order.seats;
  return answer;
}

// The last grant to another session than `session`, 0 for none.
Fence LastGrantToOther(const SeatView& seat, const SessionId& session) {
  return seat.last_grant_session == session ? seat.other_grant_fence : seat.last_grant_fence;
}

bool IsStale(const std::optional<SeatView>& seat, const SeatId& id, const BookSeats& command) {
  if (!seat || command.fences.empty()) return false;
  auto given =
      std::lower_bound(command.fences.begin(), command.fences.end(), id,
                       [](const auto& fence, const SeatId& key) { return fence.first < key; });
  if (given == command.fences.end() || given->first != id) return false;
  return LastGrantToOther(*seat, command.session) > given->second;
}

// Why this seat cannot be booked, none where it can.
std::optional<Reason> Obstacle(const std::optional<SeatView>& seat, const SeatId& id,
                               const BookSeats& command) {
  if (!LockedBy(seat, command.session)) {
    if (StatusOf(seat) != SeatStatus::kAvailable) return Reason::kSeatTaken;
    if (command.only_held) return Reason::kNotLockHolder;
  }
  if (IsStale(seat, id, command)) return Reason::kStaleFence;
  return std::nullopt;
}

Refusal OrderLimit(const char* message, size_t limit, size_t held) {
  Refusal refusal = Refuse(Reason::kOrderSeatLimit, message);
  refusal.limit = static_cast<uint32_t>(limit);
  refusal.held = static_cast<uint32_t>(held);
  return refusal;
}

// Books `seats` under the command's order, which is `known` or new.
Decision Book(const Scene& scene, const BookSeats& command, const SeatRefs& seats,
              const OrderEntry* known, Needs& needs) {
  Change change = scene.NewChange(Cause::kBook);
  change.order = command.order;
  if (known == nullptr) needs.orders = 1;
  std::vector<Conflict> conflicts;
  bool all_held = true;
  for (const SeatId* seat : seats) {
    const std::optional<SeatView> found = scene.Find(*seat);
    if (!found) ++needs.unseen_seats;
    all_held = all_held && LockedBy(found, command.session);
    if (auto reason = Obstacle(found, *seat, command)) {
      conflicts.push_back({*seat, StatusOf(found), *reason});
      continue;
    }
    change.seats.push_back({.seat = *seat,
                            .status = SeatStatus::kBooked,
                            .session = command.session,
                            .order = command.order});
  }
  if (!conflicts.empty()) return Conflicted(std::move(conflicts));
  if (!all_held && scene.showtime.closed()) return ShowtimeClosed();
  if (known != nullptr) change.kept = known->seats;
  if (change.kept.size() + change.seats.size() > kOrderSeatsMax) {
    return OrderLimit("an order may not have that many seats", kOrderSeatsMax, change.kept.size());
  }
  const size_t ever = change.kept.size() + (known == nullptr ? 0 : known->cancelled.size());
  if (ever + change.seats.size() > kOrderSeatsEverMax) {
    return OrderLimit("the order may not have that many seats, with those cancelled out of it",
                      kOrderSeatsEverMax, ever);
  }
  return change;
}

// Whether `seats` are the order's, or the order's with those that were cancelled out of it.
bool Repeats(const SeatRefs& seats, const OrderEntry& order) {
  size_t current = 0;
  size_t cancelled = 0;
  for (const SeatId* seat : seats) {
    if (Contains(order.seats, *seat)) {
      ++current;
    } else if (Contains(order.cancelled, *seat)) {
      ++cancelled;
    } else {
      return false;
    }
  }
  return current == order.seats.size() && (cancelled == 0 || cancelled == order.cancelled.size());
}

// A seat that was cancelled out of an order never returns to it: named among new ones it is in the
// way (all or nothing); named without any, the call repeats what was done before.
Decision AddToOrder(const Scene& scene, const BookSeats& command, const SeatRefs& seats,
                    const OrderEntry& order, Needs& needs) {
  SeatRefs added;
  std::vector<Conflict> cancelled;
  for (const SeatId* seat : seats) {
    if (Contains(order.cancelled, *seat)) {
      cancelled.push_back({*seat, StatusOf(scene.Find(*seat)), Reason::kOrderMismatch});
    } else if (!Contains(order.seats, *seat)) {
      added.push_back(seat);
    }
  }
  if (added.empty()) return OrderAnswer(scene, order);
  if (!cancelled.empty()) return Conflicted(std::move(cancelled));
  return Book(scene, command, added, &order, needs);
}

Decision BookKnown(const Scene& scene, const BookSeats& command, const OrderEntry& order,
                   Needs& needs) {
  if (order.closed) {
    return Refuse(Reason::kOrderCancelled, "the order was cancelled and never books again");
  }
  SeatRefs seats = Distinct(command.seats);
  if (seats.empty() || Repeats(seats, order)) return OrderAnswer(scene, order);
  if (!command.add_to_order) {
    return Refuse(Reason::kOrderMismatch, "the order has other seats");
  }
  return AddToOrder(scene, command, seats, order, needs);
}

// Bars an order that never came.
Decision Bar(const Scene& scene, const CancelBooking& command, Needs& needs) {
  if (!command.tombstone) return Refuse(Reason::kUnknownOrder, "the order was never seen");
  Change change = scene.NewChange(Cause::kCancel);
  change.order = command.order;
  change.order_closed = true;
  needs.orders = 1;
  return change;
}

}  // namespace

Decision Decide(const Scene& scene, const BookSeats& command, Needs& needs) {
  if (const OrderEntry* order = scene.showtime.FindOrder(command.order)) {
    return BookKnown(scene, command, *order, needs);
  }
  if (!command.seats.empty()) return Book(scene, command, Distinct(command.seats), nullptr, needs);
  const std::vector<SeatId> held = scene.showtime.HeldBy(command.session);
  if (held.empty()) return Refuse(Reason::kNothingHeld, "the session holds no seat");
  SeatRefs seats;
  for (const SeatId& seat : held) seats.push_back(&seat);
  return Book(scene, command, seats, nullptr, needs);
}

Decision Decide(const Scene& scene, const CancelBooking& command, Needs& needs) {
  const OrderEntry* order = scene.showtime.FindOrder(command.order);
  if (order == nullptr) return Bar(scene, command, needs);
  if (order->closed) return scene.Unchanged();
  if (command.all && order->seats.size() > kSeatsPerChangeMax) {
    return OrderLimit("the order has too many seats to cancel all at once: name seats",
                      kSeatsPerChangeMax, order->seats.size());
  }
  Change change = scene.NewChange(Cause::kCancel);
  change.order = command.order;
  std::vector<Conflict> conflicts;
  for (const SeatId* seat : Distinct(command.all ? order->seats : command.seats)) {
    if (Contains(order->seats, *seat)) {
      SeatAfter freed = FreedAfter(*seat, scene.Find(*seat)->session);
      freed.order = command.order;
      change.seats.push_back(std::move(freed));
    } else if (!Contains(order->cancelled, *seat)) {
      conflicts.push_back({*seat, StatusOf(scene.Find(*seat)), Reason::kOrderMismatch});
    }
  }
  if (!conflicts.empty()) return Conflicted(std::move(conflicts));
  if (change.seats.empty()) return scene.Unchanged();
  change.order_closed = change.seats.size() == order->seats.size();
  return change;
}

}  // namespace seatlock::domain::internal
