#include "edge/upstream/convert.h"

#include <utility>

namespace seatlock::edge {
namespace {

int64_t ToMs(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1000 + time.nanos() / 1'000'000;
}

// Blocked, unspecified and whatever comes later: not to be had.
SeatStatus ToStatus(v1::SeatStatus status) {
  if (status == v1::SEAT_STATUS_AVAILABLE) return SeatStatus::kAvailable;
  if (status == v1::SEAT_STATUS_LOCKED) return SeatStatus::kLocked;
  return SeatStatus::kBooked;
}

Cause ToCause(v1::ChangeCause cause) {
  switch (cause) {
    case v1::CHANGE_CAUSE_LOCK:
      return Cause::kLock;
    case v1::CHANGE_CAUSE_UNLOCK:
      return Cause::kUnlock;
    case v1::CHANGE_CAUSE_SWAP:
      return Cause::kSwap;
    case v1::CHANGE_CAUSE_EXTEND:
      return Cause::kExtend;
    case v1::CHANGE_CAUSE_EXPIRED:
      return Cause::kExpired;
    case v1::CHANGE_CAUSE_BOOK:
      return Cause::kBook;
    case v1::CHANGE_CAUSE_CANCEL:
      return Cause::kCancel;
    case v1::CHANGE_CAUSE_BLOCK:
      return Cause::kBlock;
    case v1::CHANGE_CAUSE_UNBLOCK:
      return Cause::kUnblock;
    case v1::CHANGE_CAUSE_RELEASE:
      return Cause::kRelease;
    default:
      return Cause::kUnknown;
  }
}

std::vector<Seat> ToSeats(google::protobuf::RepeatedPtrField<v1::Seat>& seats) {
  std::vector<Seat> result;
  result.reserve(seats.size());
  for (v1::Seat& seat : seats) {
    // It shows as booked, and must not look to who held it before as if it was booked for them.
    if (seat.status() == v1::SEAT_STATUS_BLOCKED) seat.clear_session_id();
    result.push_back({.seat_id = std::move(*seat.mutable_seat_id()),
                      .status = ToStatus(seat.status()),
                      .session_id = std::move(*seat.mutable_session_id()),
                      .expires_ms = seat.has_expire_time() ? ToMs(seat.expire_time()) : 0});
  }
  return result;
}

template <typename Message>
Position ToPosition(Message& message) {
  return {std::move(*message.mutable_epoch()), message.revision()};
}

}  // namespace

StreamEvent ToEvent(v1::WatchShowtimeResponse& message) {
  if (message.has_snapshot()) {
    v1::ShowtimeSnapshot& snapshot = *message.mutable_snapshot();
    return SnapshotPart{ToPosition(snapshot), ToSeats(*snapshot.mutable_seats()), snapshot.more()};
  }
  if (message.has_change()) {
    v1::Change& change = *message.mutable_change();
    return Change{ToPosition(change), ToMs(change.commit_time()), ToCause(change.cause()),
                  ToSeats(*change.mutable_seats())};
  }
  if (message.has_progress()) return Progress{ToPosition(*message.mutable_progress())};
  return {};
}

}  // namespace seatlock::edge
