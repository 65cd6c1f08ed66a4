// The inside of Showtime: its tables and the indexes over them. Thread-compatible.
//
// Sized for many seats: a row names sessions and orders by number, and its two list links serve
// the list of its holder's seats while it is locked and the list of freed seats while it is free.
// A held seat costs 151 bytes of heap with 5 a session of a UUID each (showtime_bytes_test.cc).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/domain/id_table.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/domain/types.h"

namespace seatlock::domain {

// DATA_LOSS: "change R on head H: `what`".
absl::Status Misfit(const Change& change, Revision head, absl::string_view what);

inline bool IsRequestForgotten(int64_t commit_ms, int64_t now_ms) {
  return now_ms > commit_ms + kRequestMemoryMs;
}
inline bool IsShareForgotten(int64_t since_ms, int64_t now_ms) {
  return now_ms > since_ms + kShareMs;
}

struct SeatRow {
  SeatId id;
  int64_t time_ms = 0;     // locked: expire_ms; free: freed_ms
  int64_t granted_ms = 0;  // locked alone
  Fence last_grant_fence;  // of a locked seat, its fence too
  Fence other_grant_fence;
  RowNumber session = kNoRow;     // locked or booked
  RowNumber last_grant = kNoRow;  // session
  RowNumber order = kNoRow;       // booked alone
  RowNumber previous = kNoRow;
  RowNumber next = kNoRow;
  SeatStatus status = SeatStatus::kAvailable;
};
static_assert(sizeof(SeatRow) <= 88);

// Seats in a row, linked by SeatRow::previous and next.
struct SeatList {
  RowNumber first = kNoRow;
  RowNumber last = kNoRow;
};

struct SessionRow {
  SessionId id;
  uint32_t references = 0;  // from seats and from its running hour; the row goes with the last
  uint32_t held_count = 0;
  SeatList held;
  // The share's hour (limits.h), if one is running.
  RowNumber previous_share = kNoRow;  // the next older
  RowNumber next_share = kNoRow;
  uint32_t unseen_seats = 0;
  uint32_t requests = 0;
  int64_t share_since_ms = -1;  // -1: none is running
};
static_assert(sizeof(SessionRow) <= 72);

struct RequestRow {
  RequestId id;
  std::array<char, 16> body_hash{};
  Revision revision;
  int64_t commit_ms = 0;
  RowNumber previous = kNoRow;  // the next older
  RowNumber next = kNoRow;
};
static_assert(sizeof(RequestRow) <= 72);

// Orders rows by their seats' ids.
struct BySeatId {
  using is_transparent = void;
  bool operator()(RowNumber a, RowNumber b) const { return (*rows)[a].id < (*rows)[b].id; }
  bool operator()(RowNumber a, const SeatId& b) const { return (*rows)[a].id < b; }
  bool operator()(const SeatId& a, RowNumber b) const { return a < (*rows)[b].id; }
  const IdTable<SeatRow>* rows;
};

struct Showtime::Tables {
  // DATA_LOSS if `change` is not the next one: its revision, its time, its request_id.
  absl::Status CheckFollows(const Change& change) const;
  // Makes `change`, which fits, part of the tables.
  void Fold(const Change& change);

  // Takes a seat out of the indexes of what it was, and puts it into those of what it is; but for
  // `taken`, which is the caller's.
  void Leave(RowNumber number);
  void EnterLocked(RowNumber number, const SessionId& holder, int64_t expire_ms);
  void EnterBooked(RowNumber number, const SessionId& buyer, RowNumber order);
  void EnterBlocked(RowNumber number);
  // Erases the row where it has no grant to remember.
  void EnterFree(RowNumber number, int64_t now_ms);

  void Grant(RowNumber number, const SessionId& session, Fence fence, int64_t now_ms);
  void Remember(RequestKey key, Revision made, int64_t now_ms);
  // Drops of what is forgotten the oldest: at most `max` seats, requests and shares each. Rows that
  // are forgotten and still there count for nothing: they are begun anew if they are named again.
  void Forget(int64_t now_ms, size_t max);
  void DropGrants(RowNumber seat);
  // Takes it out of the list of requests by age.
  void UnlinkRequest(RowNumber request);
  // Ends the session's hour, which is running.
  void EndShare(RowNumber session);
  // Whether the seat is locked and was not remembered before.
  bool ApplySeat(const SeatAfter& after, const Change& change, RowNumber order);

  // The order's seats after `change`, which names it: one merge for the whole change.
  void FoldOrder(OrderEntry& order, const Change& change);
  // Counts the lists of an order that was restored.
  void CountLists(const OrderEntry& order);
  // Nobody asks any more which seats were cancelled out of an order that is closed.
  void Close(OrderEntry& order);

  // Counts what `change` takes of its session's share.
  void CountShare(const Change& change, uint32_t unseen_seats);
  // The running hour of the session in this row; a new one begins if there is none.
  SessionRow& Share(RowNumber session, int64_t now_ms);

  // A reference to the session's row; none for an empty id.
  RowNumber Acquire(const SessionId& session);
  // Gives it back and sets it to kNoRow.
  void Release(RowNumber& session);

  void Append(SeatList& list, RowNumber number);
  void Remove(SeatList& list, RowNumber number);

  size_t ApproximateBytes() const;

  SeatView View(RowNumber number) const;
  RequestEntry Entry(RowNumber number) const;
  bool SeatBefore(RowNumber a, RowNumber b) const { return seats[a].id < seats[b].id; }

  Revision revision;
  int64_t commit_ms = 0;
  IdTable<SeatRow> seats;
  IdTable<SessionRow> sessions;
  IdTable<OrderEntry, &OrderEntry::order> orders;
  size_t cancelled_seats = 0;   // in all orders
  size_t order_list_bytes = 0;  // of the heap: what all orders' lists of seats have
  IdTable<RequestRow> requests;
  absl::btree_set<std::pair<int64_t, RowNumber>> expiry;  // locked seats by expire_ms
  // Locked, booked and blocked seats in the order of their ids.
  absl::btree_set<RowNumber, BySeatId> taken{BySeatId{&seats}};
  size_t blocked_seats = 0;  // of `taken`
  SeatList freed;            // oldest first
  RowNumber oldest_request = kNoRow;
  RowNumber newest_request = kNoRow;
  RowNumber oldest_share = kNoRow;  // sessions
  RowNumber newest_share = kNoRow;
};

}  // namespace seatlock::domain
