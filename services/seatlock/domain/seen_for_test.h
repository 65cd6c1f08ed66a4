// All that anybody can see of a showtime, so that tests can compare two of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/seatlock/domain/decide.h"

namespace seatlock::domain::testing {

// The ids that are asked for.
struct Names {
  std::set<SeatId> seats{};
  std::set<SessionId> sessions{};
  std::set<OrderId> orders{};
  std::set<RequestId> requests{};

  void Add(const ShowtimeParts& parts) {
    for (const SeatState& seat : parts.seats) {
      seats.insert(seat.seat);
      sessions.insert(seat.session);
      sessions.insert(seat.last_grant_session);
    }
    for (const OrderEntry& order : parts.orders) orders.insert(order.order);
    for (const RequestEntry& request : parts.requests) requests.insert(request.key.id);
    for (const ShareEntry& share : parts.shares) sessions.insert(share.session);
  }
};

// The answers to every query of Showtime but ApproximateBytes.
struct Seen {
  ShowtimeParts parts{};
  std::vector<std::optional<SeatState>> seats{};
  std::vector<std::vector<SeatId>> held{};
  std::vector<size_t> held_counts{};
  std::vector<std::optional<OrderEntry>> orders{};
  std::vector<std::optional<RequestEntry>> requests{};
  std::vector<ShareEntry> shares{};
  std::optional<int64_t> earliest_expire_ms{};
  std::vector<std::vector<SeatId>> lapsed{};
  std::vector<SeatState> taken{};
  std::vector<size_t> counts{};     // seats, orders, cancelled seats, requests
  std::vector<size_t> forgotten{};  // seats, requests; at several times
};

inline SeatState StateOf(const SeatView& view) {
  return {.seat = view.seat,
          .status = view.status,
          .session = view.session,
          .expire_ms = view.expire_ms,
          .granted_ms = view.granted_ms,
          .fence = view.fence,
          .order = view.order,
          .last_grant_session = view.last_grant_session,
          .last_grant_fence = view.last_grant_fence,
          .other_grant_fence = view.other_grant_fence,
          .freed_ms = view.freed_ms};
}

// `showtime` as it is seen around `now_ms`.
inline Seen See(const Showtime& showtime, const Names& names, int64_t now_ms) {
  Seen seen{.parts = showtime.Export()};
  for (const SeatId& id : names.seats) {
    const auto found = showtime.FindSeat(id);
    seen.seats.push_back(found ? std::optional(StateOf(*found)) : std::nullopt);
  }
  for (const OrderId& id : names.orders) {
    const OrderEntry* found = showtime.FindOrder(id);
    seen.orders.push_back(found ? std::optional(*found) : std::nullopt);
  }
  for (const RequestId& id : names.requests) seen.requests.push_back(showtime.FindRequest(id));
  for (const SessionId& id : names.sessions) {
    seen.held.push_back(showtime.HeldBy(id));
    seen.held_counts.push_back(showtime.HeldCount(id));
  }
  for (const int64_t at_ms : {int64_t{0}, now_ms, now_ms + kShareMs / 2, now_ms + kShareMs + 1}) {
    for (const SessionId& id : names.sessions) seen.shares.push_back(showtime.ShareOf(id, at_ms));
    seen.lapsed.push_back(showtime.LapsedAt(at_ms, 2));
    seen.lapsed.push_back(showtime.LapsedAt(at_ms, SIZE_MAX));
    seen.forgotten.push_back(showtime.ForgottenSeatsAt(at_ms, SIZE_MAX));
    seen.forgotten.push_back(showtime.ForgottenRequestsAt(at_ms, SIZE_MAX));
  }
  seen.earliest_expire_ms = showtime.earliest_expire_ms();
  for (const SeatView& view : showtime.TakenFrom(SeatId(), SIZE_MAX)) {
    seen.taken.push_back(StateOf(view));
  }
  seen.counts = {showtime.seat_count(), showtime.order_count(), showtime.cancelled_seat_count(),
                 showtime.request_count()};
  return seen;
}

// In what `a` and `b` differ, a name each.
inline std::set<std::string> Differences(const Seen& a, const Seen& b) {
  std::set<std::string> names;
  const auto compare = [&](const char* name, const auto& x, const auto& y) {
    if (x != y) names.insert(name);
  };
  compare("revision", a.parts.revision, b.parts.revision);
  compare("commit_ms", a.parts.commit_ms, b.parts.commit_ms);
  compare("closed", a.parts.closed, b.parts.closed);
  compare("exported seats", a.parts.seats, b.parts.seats);
  compare("exported orders", a.parts.orders, b.parts.orders);
  compare("exported requests", a.parts.requests, b.parts.requests);
  compare("exported shares", a.parts.shares, b.parts.shares);
  compare("seats", a.seats, b.seats);
  compare("held", a.held, b.held);
  compare("held counts", a.held_counts, b.held_counts);
  compare("orders", a.orders, b.orders);
  compare("requests", a.requests, b.requests);
  compare("shares", a.shares, b.shares);
  compare("earliest_expire_ms", a.earliest_expire_ms, b.earliest_expire_ms);
  compare("lapsed", a.lapsed, b.lapsed);
  compare("taken", a.taken, b.taken);
  compare("counts", a.counts, b.counts);
  compare("forgotten", a.forgotten, b.forgotten);
  return names;
}

// Whether a caller could tell the decisions apart.
inline bool SameDecision(const Decision& a, const Decision& b) {
  if (a.index() != b.index()) return false;
  if (const auto* change = std::get_if<Change>(&a)) return *change == std::get<Change>(b);
  if (const auto* replay = std::get_if<Replay>(&a)) {
    return replay->revision == std::get<Replay>(b).revision;
  }
  if (const auto* answer = std::get_if<Answer>(&a)) {
    const auto& other = std::get<Answer>(b);
    return answer->revision == other.revision && answer->locks == other.locks &&
           answer->order_seats == other.order_seats && answer->released == other.released;
  }
  const auto& x = std::get<Refusal>(a);
  const auto& y = std::get<Refusal>(b);
  return x.reason == y.reason && x.message == y.message && x.conflicts == y.conflicts &&
         x.limit == y.limit && x.held == y.held && x.retry_after_ms == y.retry_after_ms &&
         x.max_expire_ms == y.max_expire_ms;
}

}  // namespace seatlock::domain::testing
