// The rows of a showtime's tables. Thread-compatible.
//
// Sized for many seats: a row names sessions and orders by number, and a seat's two list links
// serve the list of its holder's seats while it is locked and the list of freed seats while it is
// free. A row keeps its fields apart from its id: an Undo notes the fields alone.
#pragma once

#include <array>
#include <cstdint>

#include "services/seatlock/domain/id_table.h"
#include "services/seatlock/domain/types.h"

namespace seatlock::domain {

struct SeatFields {
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
struct SeatRow : SeatFields {
  using Fields = SeatFields;
  SeatId id;
};
static_assert(sizeof(SeatRow) <= 88);

// Seats in a row, linked by SeatRow::previous and next.
struct SeatList {
  RowNumber first = kNoRow;
  RowNumber last = kNoRow;
};

struct SessionFields {
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
struct SessionRow : SessionFields {
  using Fields = SessionFields;
  SessionId id;
};
static_assert(sizeof(SessionRow) <= 72);

struct RequestFields {
  std::array<char, 16> body_hash{};
  Revision revision;
  int64_t commit_ms = 0;
  RowNumber previous = kNoRow;  // the next older
  RowNumber next = kNoRow;
};
struct RequestRow : RequestFields {
  using Fields = RequestFields;
  RequestId id;
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

// What a showtime has once, in front of its tables. An Undo keeps all of it.
struct Head {
  Revision revision;
  int64_t commit_ms = 0;
  bool closed = false;
  // Of all Applies that this showtime ever saw, which one made the state. 0: none.
  uint64_t made_by = 0;
  size_t cancelled_seats = 0;  // in all orders
  size_t blocked_seats = 0;    // of those that are taken
  SeatList freed;              // oldest first
  RowNumber oldest_request = kNoRow;
  RowNumber newest_request = kNoRow;
  RowNumber oldest_share = kNoRow;  // sessions
  RowNumber newest_share = kNoRow;
};

}  // namespace seatlock::domain
