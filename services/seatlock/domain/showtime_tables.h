// The inside of Showtime: its tables and the indexes over them. Thread-compatible.
//
// Whatever changes a table goes through Edit, Insert or Erase, and whatever changes an ordered
// index through the functions beside them: they note for an Undo, if one is wanted, what was there.
// A held seat costs 151 bytes of heap with 5 a session of a UUID each (showtime_bytes_test.cc).
#pragma once

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
#include "services/seatlock/domain/showtime_rows.h"
#include "services/seatlock/domain/types.h"
#include "services/seatlock/domain/undo_steps.h"

namespace seatlock::domain {

// DATA_LOSS: "change R on head H: `what`".
absl::Status Misfit(const Change& change, Revision head, absl::string_view what);

inline bool IsRequestForgotten(int64_t commit_ms, int64_t now_ms) {
  return now_ms > commit_ms + kRequestMemoryMs;
}
inline bool IsShareForgotten(int64_t since_ms, int64_t now_ms) {
  return now_ms > since_ms + kShareMs;
}

struct Showtime::Tables : Head {
  // DATA_LOSS if `change` is not the next one: its revision, its time, its request_id.
  absl::Status CheckFollows(const Change& change) const;
  // Makes `change`, which fits, part of the tables.
  void Fold(const Change& change);
  // Takes back the last Fold, of which `done` has all steps.
  void Revert(UndoSteps& done);

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

  RowNumber FindOrInsertOrder(const OrderId& id);
  // The order's seats after `change`, which names it: one merge for the whole change.
  void FoldOrder(RowNumber number, const Change& change);
  void RevertOrder(OrderStep& step);
  // Counts the lists of an order that was restored.
  void CountLists(const OrderEntry& order);
  // An order that is closed has no lists: nobody asks any more which seats were cancelled out of
  // it.
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

  // The row, to be changed.
  template <typename Row>
  Row& Edit(IdTable<Row>& table, RowNumber number) {
    if (undo != nullptr) [[unlikely]]
      undo->Change(number, table[number]);
    return table.Mutable(number);
  }
  // A new row if there is none.
  template <typename Row>
  RowNumber Insert(IdTable<Row>& table, const typename IdTable<Row>::Id& id) {
    const size_t known = table.size();
    const RowNumber number = table.FindOrInsert(id);
    if (undo != nullptr && table.size() > known) [[unlikely]]
      undo->Add(RowInserted<Row>{number});
    return number;
  }
  template <typename Row>
  void Erase(IdTable<Row>& table, RowNumber number) {
    if (undo != nullptr) [[unlikely]]
      undo->Erase(number, table[number]);
    table.Erase(number);
  }
  void AddExpiry(int64_t expire_ms, RowNumber number);
  void EraseExpiry(int64_t expire_ms, RowNumber number);
  void AddTaken(RowNumber number);
  void EraseTaken(RowNumber number);

  IdTable<SeatRow> seats;
  IdTable<SessionRow> sessions;
  IdTable<OrderEntry, &OrderEntry::order> orders;
  size_t order_list_bytes = 0;  // of the heap: what all orders' lists of seats have
  IdTable<RequestRow> requests;
  absl::btree_set<std::pair<int64_t, RowNumber>> expiry;  // locked seats by expire_ms
  // Locked, booked and blocked seats in the order of their ids.
  absl::btree_set<RowNumber, BySeatId> taken{BySeatId{&seats}};
  uint64_t applies = 0;       // that this showtime ever saw; never goes back
  UndoSteps* undo = nullptr;  // notes what Fold does; nullptr: not wanted
};

}  // namespace seatlock::domain
