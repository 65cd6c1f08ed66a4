#include "services/seatlock/rpc/convert.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace seatlock::rpc {
namespace {

std::vector<domain::SeatId> Seats(const google::protobuf::RepeatedPtrField<std::string>& ids) {
  std::vector<domain::SeatId> seats;
  seats.reserve(ids.size());
  for (const std::string& id : ids) seats.emplace_back(id);
  return seats;
}

// Whole milliseconds, rounded down. What is no valid Duration (seconds and nanos of different
// signs, nanos beyond a second) becomes 0, which no bound admits.
int64_t ToMs(const google::protobuf::Duration& duration) {
  constexpr int64_t kSecondsMax = 315'576'000'000;  // duration.proto: 10,000 years
  constexpr int32_t kNanosMax = 999'999'999;
  if (duration.seconds() < 0 || duration.nanos() < 0 || duration.nanos() > kNanosMax) return 0;
  return std::min(duration.seconds(), kSecondsMax) * 1000 + duration.nanos() / 1'000'000;
}

template <typename Request>
std::optional<int64_t> Ttl(const Request& request) {
  if (!request.has_ttl()) return std::nullopt;
  return ToMs(request.ttl());
}

template <typename Request, typename Body>
domain::Command WithRequestId(const Request& request, Body body) {
  domain::Command command;
  if (request.has_request_id()) command.request_id = domain::RequestId(request.request_id());
  command.body = std::move(body);
  return command;
}

}  // namespace

domain::Command ToCommand(const v1::LockSeatRequest& request) {
  return WithRequestId(request,
                       domain::LockSeats{.session = domain::SessionId(request.session_id()),
                                         .seats = {domain::SeatId(request.seat_id())},
                                         .release = {},
                                         .ttl_ms = Ttl(request),
                                         .max_session_seats = request.max_session_seats()});
}

domain::Command ToCommand(const v1::LockSeatsRequest& request) {
  return WithRequestId(request,
                       domain::LockSeats{.session = domain::SessionId(request.session_id()),
                                         .seats = Seats(request.seat_ids()),
                                         .release = Seats(request.release_seat_ids()),
                                         .ttl_ms = Ttl(request),
                                         .max_session_seats = request.max_session_seats()});
}

domain::Command ToCommand(const v1::UnlockSeatRequest& request) {
  return WithRequestId(request,
                       domain::UnlockSeats{.session = domain::SessionId(request.session_id()),
                                           .seats = {domain::SeatId(request.seat_id())}});
}

domain::Command ToCommand(const v1::UnlockSeatsRequest& request) {
  return WithRequestId(request,
                       domain::UnlockSeats{.session = domain::SessionId(request.session_id()),
                                           .seats = Seats(request.seat_ids()),
                                           .all = request.all()});
}

domain::Command ToCommand(const v1::ExtendLocksRequest& request) {
  return WithRequestId(request,
                       domain::ExtendLocks{.session = domain::SessionId(request.session_id()),
                                           .seats = Seats(request.seat_ids()),
                                           .all = request.all(),
                                           .ttl_ms = Ttl(request)});
}

domain::Command ToCommand(const v1::BookSeatsRequest& request) {
  domain::BookSeats book{.session = domain::SessionId(request.session_id()),
                         .order = domain::OrderId(request.order_id()),
                         .seats = Seats(request.seat_ids()),
                         .fences = {},
                         .only_held = request.only_held(),
                         .add_to_order = request.add_to_order()};
  for (const auto& [seat, fence] : request.fences()) {
    book.fences.emplace_back(domain::SeatId(seat), domain::Fence(fence));
  }
  std::sort(book.fences.begin(), book.fences.end());
  return WithRequestId(request, std::move(book));
}

domain::Command ToCommand(const v1::CancelBookingRequest& request) {
  return WithRequestId(request, domain::CancelBooking{.order = domain::OrderId(request.order_id()),
                                                      .seats = Seats(request.seat_ids()),
                                                      .all = request.all(),
                                                      .tombstone = request.tombstone()});
}

domain::Command ToCommand(const v1::BlockSeatsRequest& request) {
  return WithRequestId(request, domain::BlockSeats{.seats = Seats(request.seat_ids()),
                                                   .release_locks = request.release_locks(),
                                                   .note = request.note()});
}

domain::Command ToCommand(const v1::UnblockSeatsRequest& request) {
  return WithRequestId(request, domain::UnblockSeats{.seats = Seats(request.seat_ids())});
}

domain::Command ToCommand(const v1::ReleaseSeatsRequest& request) {
  return WithRequestId(request,
                       domain::ReleaseSeats{.seats = Seats(request.seat_ids()),
                                            .session = domain::SessionId(request.session_id())});
}

domain::Command ToCommand(const v1::CloseShowtimeRequest& request) {
  return WithRequestId(request, domain::CloseShowtime{.reopen = request.reopen()});
}

void FillResponse(const v1::LockSeatRequest& request, const domain::Answer& answer,
                  v1::LockSeatResponse* response) {
  const domain::ShowtimeId showtime(request.showtime_id());
  for (const domain::Lock& lock : answer.locks) SetLock(showtime, lock, response->mutable_lock());
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::LockSeatsRequest& request, const domain::Answer& answer,
                  v1::LockSeatsResponse* response) {
  const domain::ShowtimeId showtime(request.showtime_id());
  for (const domain::Lock& lock : answer.locks) SetLock(showtime, lock, response->add_locks());
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::UnlockSeatRequest&, const domain::Answer& answer,
                  v1::UnlockSeatResponse* response) {
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::UnlockSeatsRequest&, const domain::Answer& answer,
                  v1::UnlockSeatsResponse* response) {
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::ExtendLocksRequest& request, const domain::Answer& answer,
                  v1::ExtendLocksResponse* response) {
  const domain::ShowtimeId showtime(request.showtime_id());
  for (const domain::Lock& lock : answer.locks) SetLock(showtime, lock, response->add_locks());
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::BookSeatsRequest&, const domain::Answer& answer,
                  v1::BookSeatsResponse* response) {
  for (const domain::SeatId& seat : answer.order_seats) {
    response->add_booked_seat_ids(seat.value());
  }
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::CancelBookingRequest&, const domain::Answer& answer,
                  v1::CancelBookingResponse* response) {
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::BlockSeatsRequest&, const domain::Answer& answer,
                  v1::BlockSeatsResponse* response) {
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::UnblockSeatsRequest&, const domain::Answer& answer,
                  v1::UnblockSeatsResponse* response) {
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::ReleaseSeatsRequest&, const domain::Answer& answer,
                  v1::ReleaseSeatsResponse* response) {
  for (const domain::SeatId& seat : answer.released) {
    response->add_released_seat_ids(seat.value());
  }
  response->set_revision(answer.revision.value());
}

void FillResponse(const v1::CloseShowtimeRequest&, const domain::Answer& answer,
                  v1::CloseShowtimeResponse* response) {
  response->set_revision(answer.revision.value());
}

v1::SeatStatus ToProto(domain::SeatStatus status) {
  switch (status) {
    case domain::SeatStatus::kAvailable:
      return v1::SEAT_STATUS_AVAILABLE;
    case domain::SeatStatus::kLocked:
      return v1::SEAT_STATUS_LOCKED;
    case domain::SeatStatus::kBooked:
      return v1::SEAT_STATUS_BOOKED;
    case domain::SeatStatus::kBlocked:
      return v1::SEAT_STATUS_BLOCKED;
  }
  return v1::SEAT_STATUS_UNSPECIFIED;
}

v1::ChangeCause ToProto(domain::Cause cause) {
  switch (cause) {
    case domain::Cause::kLock:
      return v1::CHANGE_CAUSE_LOCK;
    case domain::Cause::kUnlock:
      return v1::CHANGE_CAUSE_UNLOCK;
    case domain::Cause::kSwap:
      return v1::CHANGE_CAUSE_SWAP;
    case domain::Cause::kExtend:
      return v1::CHANGE_CAUSE_EXTEND;
    case domain::Cause::kExpired:
      return v1::CHANGE_CAUSE_EXPIRED;
    case domain::Cause::kBook:
      return v1::CHANGE_CAUSE_BOOK;
    case domain::Cause::kCancel:
      return v1::CHANGE_CAUSE_CANCEL;
    case domain::Cause::kBlock:
      return v1::CHANGE_CAUSE_BLOCK;
    case domain::Cause::kUnblock:
      return v1::CHANGE_CAUSE_UNBLOCK;
    case domain::Cause::kRelease:
      return v1::CHANGE_CAUSE_RELEASE;
    case domain::Cause::kClose:
      return v1::CHANGE_CAUSE_CLOSE;
    case domain::Cause::kReopen:
      return v1::CHANGE_CAUSE_REOPEN;
  }
  return v1::CHANGE_CAUSE_UNSPECIFIED;
}

void SetTime(int64_t ms, google::protobuf::Timestamp* time) {
  time->set_seconds(ms / 1000);
  time->set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
}

void SetLock(const domain::ShowtimeId& showtime, const domain::Lock& lock, v1::Lock* proto) {
  proto->set_showtime_id(showtime.value());
  proto->set_seat_id(lock.seat.value());
  proto->set_session_id(lock.session.value());
  SetTime(lock.expire_ms, proto->mutable_expire_time());
  proto->set_fence(lock.fence.value());
}

void SetSummary(const engine::Summary& summary, v1::ShowtimeSummary* proto) {
  proto->set_showtime_id(summary.showtime.value());
  proto->set_epoch(summary.position.epoch.value());
  proto->set_revision(summary.position.revision.value());
  if (summary.position.revision.value() > 0) {
    SetTime(summary.last_commit_ms, proto->mutable_last_change_time());
  }
  if (!summary.seats) return;
  proto->set_locked(static_cast<uint32_t>(summary.seats->locked));
  proto->set_booked(static_cast<uint32_t>(summary.seats->booked));
  proto->set_blocked(static_cast<uint32_t>(summary.seats->blocked));
  proto->set_closed(summary.closed);
}

void SetSeat(const domain::SeatView& seat, v1::Seat* proto) {
  proto->set_seat_id(seat.seat.value());
  proto->set_status(ToProto(seat.status));
  if (seat.status == domain::SeatStatus::kLocked) {
    proto->set_session_id(seat.session.value());
    SetTime(seat.expire_ms, proto->mutable_expire_time());
  }
  if (seat.status == domain::SeatStatus::kBooked) proto->set_order_id(seat.order.value());
}

void SetSeat(const domain::SeatAfter& seat, v1::Seat* proto) {
  proto->set_seat_id(seat.seat.value());
  proto->set_status(ToProto(seat.status));
  proto->set_session_id(seat.session.value());
  if (seat.status == domain::SeatStatus::kLocked) {
    SetTime(seat.expire_ms, proto->mutable_expire_time());
  }
  if (!seat.order.empty()) proto->set_order_id(seat.order.value());
}

}  // namespace seatlock::rpc
