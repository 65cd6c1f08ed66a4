// Room: what a showtime may remember, and how much of that locks may take.
#include <algorithm>
#include <variant>

#include "services/seatlock/domain/decide_internal.h"

namespace seatlock::domain::internal {
namespace {

// Up to where a command may fill the showtime, and the session whose share it takes from.
struct Room {
  size_t seats = kSeatsPerShowtimeMax;
  size_t requests = kRequestsPerShowtimeMax;
  const SessionId* sharer = nullptr;  // none: no share
};

Room RoomFor(const Command& command) {
  if (const auto* lock = std::get_if<LockSeats>(&command.body)) {
    return {kSeatsForLocksMax, kRequestsForLocksMax, &lock->session};
  }
  if (const auto* extend = std::get_if<ExtendLocks>(&command.body)) {
    return {kSeatsForLocksMax, kRequestsForLocksMax, &extend->session};
  }
  if (std::holds_alternative<UnlockSeats>(command.body)) return {};
  return {.requests = kRequestsPerShowtimeMax + kOrderRequestsReserved};
}

// Whether `count` entries fit into `max`, of which ForgottenAt says how many are forgotten. Of more
// than the change drops no more is asked than that it drops them: it then leaves fewer entries than
// it found, and what it costs to ask stays small.
template <typename ForgottenAt>
bool Fits(size_t count, size_t max, size_t dropped, const ForgottenAt& forgotten_at) {
  if (count <= max) return true;
  const size_t needed = std::min(count - max, dropped);
  return forgotten_at(needed) == needed;
}

bool SeatsFit(const Scene& scene, size_t unseen, size_t max) {
  return Fits(scene.showtime.seat_count() + unseen, max, ForgottenPerChange(unseen),
              [&](size_t up_to) { return scene.showtime.ForgottenSeatsAt(scene.now_ms, up_to); });
}

bool RequestFits(const Scene& scene, size_t max) {
  return Fits(scene.showtime.request_count() + 1, max, ForgottenPerChange(0), [&](size_t up_to) {
    return scene.showtime.ForgottenRequestsAt(scene.now_ms, up_to);
  });
}

// None if the session's share reaches.
std::optional<Refusal> ShareUsedUp(const Scene& scene, const SessionId& session, size_t unseen,
                                   bool request) {
  if (unseen == 0 && !request) return std::nullopt;
  const ShareEntry used = scene.showtime.ShareOf(session, scene.now_ms);
  const char* why = nullptr;
  if (unseen > 0 && used.unseen_seats + unseen > kUnseenSeatsPerShare) {
    why = "the session locked as many new seats as one may in an hour";
  } else if (request && used.requests >= kRequestsPerShare) {
    why = "the session sent as many request_ids with its locks as one may in an hour";
  }
  if (why == nullptr) return std::nullopt;
  Refusal refusal = Refuse(Reason::kOverloaded, why);
  refusal.retry_after_ms = used.since_ms + kShareMs + 1 - scene.now_ms;
  return refusal;
}

}  // namespace

std::optional<Refusal> NoRoom(const Scene& scene, const Command& command, const Needs& needs) {
  const Room room = RoomFor(command);
  const bool request = command.request_id.has_value();
  if (room.sharer != nullptr) {
    if (auto refusal = ShareUsedUp(scene, *room.sharer, needs.unseen_seats, request)) {
      return refusal;
    }
  }
  if (needs.unseen_seats > 0 && !SeatsFit(scene, needs.unseen_seats, room.seats)) {
    return Refuse(Reason::kOverloaded, "the showtime has no room for more seats");
  }
  if (needs.orders > 0 && scene.showtime.order_count() + needs.orders > kOrdersPerShowtimeMax) {
    return Refuse(Reason::kOverloaded, "the showtime has no room for more orders");
  }
  if (std::holds_alternative<BookSeats>(command.body) &&
      scene.showtime.cancelled_seat_count() >= kCancelledSeatsPerShowtimeMax) {
    return Refuse(Reason::kOverloaded,
                  "too many seats were cancelled out of the showtime's orders");
  }
  if (request && !RequestFits(scene, room.requests)) {
    return Refuse(Reason::kOverloaded, "the showtime has no room for more request_ids");
  }
  return std::nullopt;
}

}  // namespace seatlock::domain::internal
