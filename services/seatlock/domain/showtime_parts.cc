// Showtime::Export and Restore.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/domain/showtime_tables.h"

namespace seatlock::domain {
namespace {

absl::Status Contradiction(const char* what, const std::string& id) {
  return absl::InvalidArgumentError(absl::StrCat("snapshot: ", what, ": ", id));
}

bool StrictlyRising(const std::vector<SeatId>& seats) {
  return std::adjacent_find(seats.begin(), seats.end(), std::greater_equal<>()) == seats.end();
}

absl::Status CheckSeat(const SeatState& seat, const ShowtimeParts& parts) {
  const std::string& id = seat.seat.value();
  if (id.empty()) return Contradiction("a seat without id", id);
  if (seat.last_grant_fence.value() > parts.revision.value() ||
      seat.other_grant_fence > seat.last_grant_fence || seat.freed_ms > parts.commit_ms ||
      seat.granted_ms > parts.commit_ms) {
    return Contradiction("a grant or a freeing after the last change", id);
  }
  if (seat.last_grant_session.empty() != (seat.last_grant_fence == Fence())) {
    return Contradiction("a grant without session or fence", id);
  }
  switch (seat.status) {
    case SeatStatus::kLocked:
      if (seat.session.empty() || seat.session != seat.last_grant_session ||
          seat.fence != seat.last_grant_fence) {
        return Contradiction("a lock that is not the last grant", id);
      }
      break;
    case SeatStatus::kBooked:
      if (seat.order.empty()) return Contradiction("a booked seat without order", id);
      break;
    case SeatStatus::kAvailable:
      if (seat.last_grant_fence == Fence()) return Contradiction("nothing to remember", id);
      break;
    case SeatStatus::kBlocked:
      break;
  }
  const bool locked = seat.status == SeatStatus::kLocked;
  const bool held = locked || seat.status == SeatStatus::kBooked;
  if ((!locked && (seat.expire_ms != 0 || seat.granted_ms != 0 || seat.fence != Fence())) ||
      (!held && !seat.session.empty()) ||
      (seat.status != SeatStatus::kBooked && !seat.order.empty()) ||
      (seat.status != SeatStatus::kAvailable && seat.freed_ms != 0)) {
    return Contradiction("fields that do not go with the status", id);
  }
  return absl::OkStatus();
}

absl::Status CheckOrder(const OrderEntry& order) {
  const std::string& id = order.order.value();
  if (id.empty()) return Contradiction("an order without id", id);
  if (!StrictlyRising(order.seats) || !StrictlyRising(order.cancelled)) {
    return Contradiction("an order's seats out of order", id);
  }
  if (order.closed != order.seats.empty()) {
    return Contradiction("an order that is closed with seats, or open without", id);
  }
  for (const SeatId& seat : order.seats) {
    if (std::binary_search(order.cancelled.begin(), order.cancelled.end(), seat)) {
      return Contradiction("a seat both in the order and cancelled", id);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRequests(const ShowtimeParts& parts) {
  const RequestEntry* before = nullptr;
  for (const RequestEntry& request : parts.requests) {
    const std::string& id = request.key.id.value();
    if (id.empty() || request.key.body_hash.size() != 16) {
      return Contradiction("a request without id or hash", id);
    }
    if (request.revision > parts.revision || request.commit_ms > parts.commit_ms ||
        request.revision == Revision() ||
        (before != nullptr &&
         (request.revision <= before->revision || request.commit_ms < before->commit_ms))) {
      return Contradiction("a request out of order", id);
    }
    before = &request;
  }
  return absl::OkStatus();
}

absl::Status CheckShares(const ShowtimeParts& parts) {
  int64_t before_ms = 0;
  for (const ShareEntry& share : parts.shares) {
    const std::string& id = share.session.value();
    if (id.empty() || (share.unseen_seats == 0 && share.requests == 0)) {
      return Contradiction("a share without session or use", id);
    }
    if (share.since_ms < before_ms || share.since_ms > parts.commit_ms) {
      return Contradiction("a share out of order", id);
    }
    before_ms = share.since_ms;
  }
  return absl::OkStatus();
}

// Free seats, oldest first: the order in which they will be forgotten.
std::vector<const SeatState*> Freed(const std::vector<SeatState>& seats) {
  std::vector<const SeatState*> freed;
  for (const SeatState& seat : seats) {
    if (seat.status == SeatStatus::kAvailable) freed.push_back(&seat);
  }
  std::stable_sort(freed.begin(), freed.end(), [](const SeatState* a, const SeatState* b) {
    return a->freed_ms < b->freed_ms;
  });
  return freed;
}

absl::Status CheckParts(const ShowtimeParts& parts) {
  const SeatId* before = nullptr;
  size_t booked = 0;
  size_t in_orders = 0;
  for (const SeatState& seat : parts.seats) {
    if (before != nullptr && seat.seat <= *before) {
      return Contradiction("seats out of order", seat.seat.value());
    }
    before = &seat.seat;
    if (absl::Status status = CheckSeat(seat, parts); !status.ok()) return status;
    if (seat.status == SeatStatus::kBooked) ++booked;
  }
  const OrderId* order_before = nullptr;
  for (const OrderEntry& order : parts.orders) {
    if (order_before != nullptr && order.order <= *order_before) {
      return Contradiction("orders out of order", order.order.value());
    }
    order_before = &order.order;
    if (absl::Status status = CheckOrder(order); !status.ok()) return status;
    in_orders += order.seats.size();
  }
  if (booked != in_orders) return Contradiction("booked seats and seats of orders differ", "");
  if (absl::Status status = CheckRequests(parts); !status.ok()) return status;
  return CheckShares(parts);
}

}  // namespace

absl::StatusOr<Showtime> Showtime::Restore(ShowtimeParts parts) {
  if (absl::Status status = CheckParts(parts); !status.ok()) return status;
  auto tables = std::make_unique<Tables>();
  Tables& t = *tables;
  t.revision = parts.revision;
  t.commit_ms = parts.commit_ms;
  t.closed = parts.closed;
  for (OrderEntry& order : parts.orders) {
    RowNumber number = t.orders.FindOrInsert(order.order);
    OrderEntry& entry = t.orders.Mutable(number);
    entry = std::move(order);
    // Snapshots of earlier versions kept what was cancelled out of closed orders too.
    if (entry.closed) entry.cancelled = std::vector<SeatId>();
    t.cancelled_seats += entry.cancelled.size();
    t.CountLists(entry);
  }
  auto insert = [&t](const SeatState& seat) {
    RowNumber number = t.seats.FindOrInsert(seat.seat);
    SeatRow& row = t.seats.Mutable(number);
    row.last_grant_fence = seat.last_grant_fence;
    row.other_grant_fence = seat.other_grant_fence;
    row.last_grant = t.Acquire(seat.last_grant_session);
    row.granted_ms = seat.granted_ms;
    return number;
  };
  for (const SeatState* seat : Freed(parts.seats)) t.EnterFree(insert(*seat), seat->freed_ms);
  for (const SeatState& seat : parts.seats) {
    if (seat.status == SeatStatus::kLocked) {
      t.EnterLocked(insert(seat), seat.session, seat.expire_ms);
    } else if (seat.status == SeatStatus::kBlocked) {
      t.EnterBlocked(insert(seat));
    } else if (seat.status == SeatStatus::kBooked) {
      RowNumber order = t.orders.Find(seat.order);
      if (order == kNoRow || !std::binary_search(t.orders[order].seats.begin(),
                                                 t.orders[order].seats.end(), seat.seat)) {
        return Contradiction("a booked seat that its order does not have", seat.seat.value());
      }
      t.EnterBooked(insert(seat), seat.session, order);
    }
  }
  for (const SeatState& seat : parts.seats) {
    if (seat.status != SeatStatus::kAvailable)
      t.taken.insert(t.taken.end(), t.seats.Find(seat.seat));
  }
  for (RequestEntry& request : parts.requests) {
    if (t.requests.Find(request.key.id) != kNoRow) {
      return Contradiction("a request twice", request.key.id.value());
    }
    t.Remember(std::move(request.key), request.revision, request.commit_ms);
  }
  for (const ShareEntry& share : parts.shares) {
    const RowNumber session = t.sessions.FindOrInsert(share.session);
    if (t.sessions[session].share_since_ms >= 0) {
      return Contradiction("a share twice", share.session.value());
    }
    SessionRow& row = t.Share(session, share.since_ms);
    row.unseen_seats = share.unseen_seats;
    row.requests = share.requests;
  }
  return Showtime(std::move(tables));
}

ShowtimeParts Showtime::Export() const {
  const Tables& t = *tables_;
  ShowtimeParts parts{.revision = t.revision, .commit_ms = t.commit_ms, .closed = t.closed};

  std::vector<RowNumber> numbers = t.seats.Numbers();
  std::sort(numbers.begin(), numbers.end(),
            [&t](RowNumber a, RowNumber b) { return t.SeatBefore(a, b); });
  parts.seats.reserve(numbers.size());
  for (RowNumber number : numbers) {
    const SeatView seat = t.View(number);
    if (IsForgotten(seat, t.commit_ms)) continue;
    parts.seats.push_back({.seat = seat.seat,
                           .status = seat.status,
                           .session = seat.session,
                           .expire_ms = seat.expire_ms,
                           .granted_ms = seat.granted_ms,
                           .fence = seat.fence,
                           .order = seat.order,
                           .last_grant_session = seat.last_grant_session,
                           .last_grant_fence = seat.last_grant_fence,
                           .other_grant_fence = seat.other_grant_fence,
                           .freed_ms = seat.freed_ms});
  }
  parts.orders.reserve(t.orders.size());
  for (RowNumber number : t.orders.Numbers()) parts.orders.push_back(t.orders[number]);
  std::sort(parts.orders.begin(), parts.orders.end(),
            [](const OrderEntry& a, const OrderEntry& b) { return a.order < b.order; });
  parts.requests.reserve(t.requests.size());
  for (RowNumber at = t.oldest_request; at != kNoRow; at = t.requests[at].next) {
    const bool forgotten = IsRequestForgotten(t.requests[at].commit_ms, t.commit_ms);
    if (!forgotten) parts.requests.push_back(t.Entry(at));
  }
  for (RowNumber at = t.oldest_share; at != kNoRow; at = t.sessions[at].next_share) {
    const SessionRow& row = t.sessions[at];
    if (IsShareForgotten(row.share_since_ms, t.commit_ms)) continue;
    parts.shares.push_back({row.id, row.share_since_ms, row.unseen_seats, row.requests});
  }
  return parts;
}

}  // namespace seatlock::domain
