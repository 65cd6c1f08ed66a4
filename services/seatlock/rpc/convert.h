// Proto to domain and back. Pure functions; bounds are not checked here (domain::Validate).
#pragma once

#include <cstdint>

#include "seatlock/v1/seatlock_admin_service.pb.h"
#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/domain/command.h"
#include "services/seatlock/domain/decide.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/engine/lister.h"

namespace seatlock::rpc {

domain::Command ToCommand(const v1::LockSeatRequest& request);
domain::Command ToCommand(const v1::LockSeatsRequest& request);
domain::Command ToCommand(const v1::UnlockSeatRequest& request);
domain::Command ToCommand(const v1::UnlockSeatsRequest& request);
domain::Command ToCommand(const v1::ExtendLocksRequest& request);
domain::Command ToCommand(const v1::BookSeatsRequest& request);
domain::Command ToCommand(const v1::CancelBookingRequest& request);
domain::Command ToCommand(const v1::BlockSeatsRequest& request);
domain::Command ToCommand(const v1::UnblockSeatsRequest& request);
domain::Command ToCommand(const v1::ReleaseSeatsRequest& request);
domain::Command ToCommand(const v1::CloseShowtimeRequest& request);

// Fill in all of a response but server_time.
void FillResponse(const v1::LockSeatRequest& request, const domain::Answer& answer,
                  v1::LockSeatResponse* response);
void FillResponse(const v1::LockSeatsRequest& request, const domain::Answer& answer,
                  v1::LockSeatsResponse* response);
void FillResponse(const v1::UnlockSeatRequest& request, const domain::Answer& answer,
                  v1::UnlockSeatResponse* response);
void FillResponse(const v1::UnlockSeatsRequest& request, const domain::Answer& answer,
                  v1::UnlockSeatsResponse* response);
void FillResponse(const v1::ExtendLocksRequest& request, const domain::Answer& answer,
                  v1::ExtendLocksResponse* response);
void FillResponse(const v1::BookSeatsRequest& request, const domain::Answer& answer,
                  v1::BookSeatsResponse* response);
void FillResponse(const v1::CancelBookingRequest& request, const domain::Answer& answer,
                  v1::CancelBookingResponse* response);
void FillResponse(const v1::BlockSeatsRequest& request, const domain::Answer& answer,
                  v1::BlockSeatsResponse* response);
void FillResponse(const v1::UnblockSeatsRequest& request, const domain::Answer& answer,
                  v1::UnblockSeatsResponse* response);
void FillResponse(const v1::ReleaseSeatsRequest& request, const domain::Answer& answer,
                  v1::ReleaseSeatsResponse* response);
void FillResponse(const v1::CloseShowtimeRequest& request, const domain::Answer& answer,
                  v1::CloseShowtimeResponse* response);

v1::SeatStatus ToProto(domain::SeatStatus status);
v1::ChangeCause ToProto(domain::Cause cause);

// `ms`: Unix time in milliseconds.
void SetTime(int64_t ms, google::protobuf::Timestamp* time);

void SetLock(const domain::ShowtimeId& showtime, const domain::Lock& lock, v1::Lock* proto);
void SetSummary(const engine::Summary& summary, v1::ShowtimeSummary* proto);
// A seat as a snapshot lists it.
void SetSeat(const domain::SeatView& seat, v1::Seat* proto);
// A seat as a change lists it.
void SetSeat(const domain::SeatAfter& seat, v1::Seat* proto);

}  // namespace seatlock::rpc
