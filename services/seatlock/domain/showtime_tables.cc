#include "services/seatlock/domain/showtime_tables.h"

#include <algorithm>
#include <utility>

#include "services/seatlock/domain/limits.h"

namespace seatlock::domain {

RowNumber Showtime::Tables::Acquire(const SessionId& session) {
  if (session.empty()) return kNoRow;
  RowNumber number = sessions.FindOrInsert(session);
  ++sessions[number].references;
  return number;
}

void Showtime::Tables::Release(RowNumber& session) {
  if (session == kNoRow) return;
  if (--sessions[session].references == 0) sessions.Erase(session);
  session = kNoRow;
}

void Showtime::Tables::Append(SeatList& list, RowNumber number) {
  SeatRow& row = seats[number];
  row.previous = list.last;
  row.next = kNoRow;
  (list.last == kNoRow ? list.first : seats[list.last].next) = number;
  list.last = number;
}

void Showtime::Tables::Remove(SeatList& list, RowNumber number) {
  SeatRow& row = seats[number];
  (row.previous == kNoRow ? list.first : seats[row.previous].next) = row.next;
  (row.next == kNoRow ? list.last : seats[row.next].previous) = row.previous;
  row.previous = row.next = kNoRow;
}

void Showtime::Tables::Leave(RowNumber number) {
  SeatRow& row = seats[number];
  if (row.status == SeatStatus::kLocked) {
    SessionRow& holder = sessions[row.session];
    Remove(holder.held, number);
    --holder.held_count;
    expiry.erase({row.time_ms, number});
  } else if (row.status == SeatStatus::kAvailable && row.last_grant_fence != Fence()) {
    Remove(freed, number);
  } else if (row.status == SeatStatus::kBlocked) {
    --blocked_seats;
  }
  Release(row.session);
  row.order = kNoRow;
  row.time_ms = 0;
  row.status = SeatStatus::kAvailable;
}

void Showtime::Tables::EnterLocked(RowNumber number, const SessionId& holder, int64_t expire_ms) {
  SeatRow& row = seats[number];
  row.status = SeatStatus::kLocked;
  row.time_ms = expire_ms;
  row.session = Acquire(holder);
  SessionRow& session = sessions[row.session];
  Append(session.held, number);
  ++session.held_count;
  expiry.insert({expire_ms, number});
}

void Showtime::Tables::EnterBooked(RowNumber number, const SessionId& buyer, RowNumber order) {
  SeatRow& row = seats[number];
  row.status = SeatStatus::kBooked;
  row.session = Acquire(buyer);
  row.order = order;
  row.granted_ms = 0;
}

void Showtime::Tables::EnterBlocked(RowNumber number) {
  seats[number].status = SeatStatus::kBlocked;
  ++blocked_seats;
  seats[number].granted_ms = 0;
}

void Showtime::Tables::EnterFree(RowNumber number, int64_t now_ms) {
  SeatRow& row = seats[number];
  if (row.last_grant_fence == Fence()) {
    seats.Erase(number);
    return;
  }
  row.time_ms = now_ms;
  row.granted_ms = 0;
  Append(freed, number);
}

void Showtime::Tables::Grant(RowNumber number, const SessionId& session, Fence fence,
                             int64_t now_ms) {
  SeatRow& row = seats[number];
  row.granted_ms = now_ms;
  if (row.last_grant == kNoRow || sessions[row.last_grant].id != session) {
    row.other_grant_fence = row.last_grant_fence;
    Release(row.last_grant);
    row.last_grant = Acquire(session);
  }
  row.last_grant_fence = fence;
}

void Showtime::Tables::DropGrants(RowNumber seat) {
  SeatRow& row = seats[seat];
  Release(row.last_grant);
  row.last_grant_fence = row.other_grant_fence = Fence();
}

void Showtime::Tables::Remember(RequestKey key, Revision made, int64_t now_ms) {
  const size_t known = requests.size();
  const RowNumber number = requests.FindOrInsert(key.id);
  if (requests.size() == known) UnlinkRequest(number);  // made before, and forgotten
  RequestRow& row = requests[number];
  std::copy_n(key.body_hash.begin(), std::min(key.body_hash.size(), row.body_hash.size()),
              row.body_hash.begin());
  row.revision = made;
  row.commit_ms = now_ms;
  row.previous = newest_request;
  (newest_request == kNoRow ? oldest_request : requests[newest_request].next) = number;
  newest_request = number;
}

void Showtime::Tables::UnlinkRequest(RowNumber request) {
  RequestRow& row = requests[request];
  (row.previous == kNoRow ? oldest_request : requests[row.previous].next) = row.next;
  (row.next == kNoRow ? newest_request : requests[row.next].previous) = row.previous;
  row.previous = row.next = kNoRow;
}

void Showtime::Tables::Forget(int64_t now_ms, size_t max) {
  for (size_t i = 0; i < max && freed.first != kNoRow; ++i) {
    const RowNumber number = freed.first;
    if (!IsForgotten(View(number), now_ms)) break;
    Remove(freed, number);
    DropGrants(number);
    seats.Erase(number);
  }
  for (size_t i = 0; i < max && oldest_request != kNoRow; ++i) {
    const RowNumber number = oldest_request;
    if (!IsRequestForgotten(requests[number].commit_ms, now_ms)) break;
    UnlinkRequest(number);
    requests.Erase(number);
  }
  for (size_t i = 0; i < max && oldest_share != kNoRow; ++i) {
    if (!IsShareForgotten(sessions[oldest_share].share_since_ms, now_ms)) break;
    EndShare(oldest_share);
  }
}

void Showtime::Tables::EndShare(RowNumber session) {
  SessionRow& row = sessions[session];
  (row.previous_share == kNoRow ? oldest_share : sessions[row.previous_share].next_share) =
      row.next_share;
  (row.next_share == kNoRow ? newest_share : sessions[row.next_share].previous_share) =
      row.previous_share;
  row.previous_share = row.next_share = kNoRow;
  row.unseen_seats = row.requests = 0;
  row.share_since_ms = -1;
  Release(session);
}

void Showtime::Tables::CountShare(const Change& change, uint32_t unseen_seats) {
  const bool counts = change.cause == Cause::kLock || change.cause == Cause::kSwap ||
                      change.cause == Cause::kExtend;
  if (!counts || change.seats.empty() || (unseen_seats == 0 && !change.request)) return;
  // Such a change is of one session, which its first seat names.
  const RowNumber session = sessions.FindOrInsert(change.seats.front().session);
  SessionRow& share = Share(session, change.commit_ms);
  share.unseen_seats += unseen_seats;
  if (change.request) ++share.requests;
}

SessionRow& Showtime::Tables::Share(RowNumber session, int64_t now_ms) {
  SessionRow& row = sessions[session];
  ++row.references;  // of the hour; until then it keeps the row while an older one ends
  if (row.share_since_ms >= 0) {
    if (!IsShareForgotten(row.share_since_ms, now_ms)) {
      --row.references;
      return row;
    }
    EndShare(session);
  }
  row.share_since_ms = now_ms;
  row.previous_share = newest_share;
  (newest_share == kNoRow ? oldest_share : sessions[newest_share].next_share) = session;
  newest_share = session;
  return row;
}

SeatView Showtime::Tables::View(RowNumber number) const {
  static const SessionId kNoSession;
  static const OrderId kNoOrder;
  const SeatRow& row = seats[number];
  const bool locked = row.status == SeatStatus::kLocked;
  return SeatView{
      .seat = row.id,
      .status = row.status,
      .session = row.session == kNoRow ? kNoSession : sessions[row.session].id,
      .expire_ms = locked ? row.time_ms : 0,
      .granted_ms = row.granted_ms,
      .fence = locked ? row.last_grant_fence : Fence(),
      .order = row.order == kNoRow ? kNoOrder : orders[row.order].order,
      .last_grant_session = row.last_grant == kNoRow ? kNoSession : sessions[row.last_grant].id,
      .last_grant_fence = row.last_grant_fence,
      .other_grant_fence = row.other_grant_fence,
      .freed_ms = row.status == SeatStatus::kAvailable ? row.time_ms : 0,
  };
}

RequestEntry Showtime::Tables::Entry(RowNumber number) const {
  const RequestRow& row = requests[number];
  return {.key = {.id = row.id, .body_hash = {row.body_hash.begin(), row.body_hash.end()}},
          .revision = row.revision,
          .commit_ms = row.commit_ms};
}

}  // namespace seatlock::domain
