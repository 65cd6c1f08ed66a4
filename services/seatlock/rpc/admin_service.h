// seatlock.v1.SeatLockAdminService over an Engine.
//
// Its calls go to the engine as all others do. Thread-safe; nothing blocks.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "seatlock/v1/seatlock_admin_service.grpc.pb.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/rpc/unary_call.h"

namespace seatlock::rpc {

class AdminService final : public v1::SeatLockAdminService::CallbackService {
 public:
  // `engine` and `calls` outlive the service. Unless it `answers`, every call is refused: nobody
  // knows who the callers are, and they may come from anywhere.
  AdminService(engine::Engine& engine, Calls& calls, bool answers);

  grpc::ServerUnaryReactor* BlockSeats(grpc::CallbackServerContext* context,
                                       const v1::BlockSeatsRequest* request,
                                       v1::BlockSeatsResponse* response) override;
  grpc::ServerUnaryReactor* UnblockSeats(grpc::CallbackServerContext* context,
                                         const v1::UnblockSeatsRequest* request,
                                         v1::UnblockSeatsResponse* response) override;
  grpc::ServerUnaryReactor* ReleaseSeats(grpc::CallbackServerContext* context,
                                         const v1::ReleaseSeatsRequest* request,
                                         v1::ReleaseSeatsResponse* response) override;
  grpc::ServerUnaryReactor* CloseShowtime(grpc::CallbackServerContext* context,
                                          const v1::CloseShowtimeRequest* request,
                                          v1::CloseShowtimeResponse* response) override;
  grpc::ServerUnaryReactor* DeleteShowtime(grpc::CallbackServerContext* context,
                                           const v1::DeleteShowtimeRequest* request,
                                           v1::DeleteShowtimeResponse* response) override;

 private:
  grpc::ServerUnaryReactor* Refuse(Method method, grpc::CallbackServerContext* context);

  engine::Engine& engine_;
  Calls& calls_;
  const bool answers_;
};

}  // namespace seatlock::rpc
