// seatlock.v1.SeatLockService over an Engine.
//
// Handlers check fields, hand the command over, and return; the answer is sent from the engine's
// callback. Thread-safe; nothing blocks. Watches and GetShowtime are written as raw bytes,
// serialised once for all who ask.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "seatlock/v1/seatlock_service.grpc.pb.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/rpc/unary_call.h"

namespace seatlock::rpc {

class Service final : public v1::SeatLockService::WithRawCallbackMethod_GetShowtime<
                          v1::SeatLockService::WithRawCallbackMethod_WatchShowtime<
                              v1::SeatLockService::CallbackService>> {
 public:
  // Both outlive the service.
  Service(engine::Engine& engine, Calls& calls);

  grpc::ServerUnaryReactor* LockSeat(grpc::CallbackServerContext* context,
                                     const v1::LockSeatRequest* request,
                                     v1::LockSeatResponse* response) override;
  grpc::ServerUnaryReactor* LockSeats(grpc::CallbackServerContext* context,
                                      const v1::LockSeatsRequest* request,
                                      v1::LockSeatsResponse* response) override;
  grpc::ServerUnaryReactor* UnlockSeat(grpc::CallbackServerContext* context,
                                       const v1::UnlockSeatRequest* request,
                                       v1::UnlockSeatResponse* response) override;
  grpc::ServerUnaryReactor* UnlockSeats(grpc::CallbackServerContext* context,
                                        const v1::UnlockSeatsRequest* request,
                                        v1::UnlockSeatsResponse* response) override;
  grpc::ServerUnaryReactor* ExtendLocks(grpc::CallbackServerContext* context,
                                        const v1::ExtendLocksRequest* request,
                                        v1::ExtendLocksResponse* response) override;
  grpc::ServerUnaryReactor* BookSeats(grpc::CallbackServerContext* context,
                                      const v1::BookSeatsRequest* request,
                                      v1::BookSeatsResponse* response) override;
  grpc::ServerUnaryReactor* CancelBooking(grpc::CallbackServerContext* context,
                                          const v1::CancelBookingRequest* request,
                                          v1::CancelBookingResponse* response) override;
  grpc::ServerUnaryReactor* GetOrder(grpc::CallbackServerContext* context,
                                     const v1::GetOrderRequest* request,
                                     v1::GetOrderResponse* response) override;
  grpc::ServerUnaryReactor* ListShowtimes(grpc::CallbackServerContext* context,
                                          const v1::ListShowtimesRequest* request,
                                          v1::ListShowtimesResponse* response) override;
  grpc::ServerUnaryReactor* GetShowtime(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListSessionLocks(grpc::CallbackServerContext* context,
                                             const v1::ListSessionLocksRequest* request,
                                             v1::ListSessionLocksResponse* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchShowtime(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override;

 private:
  engine::Engine& engine_;
  Calls& calls_;
};

}  // namespace seatlock::rpc
