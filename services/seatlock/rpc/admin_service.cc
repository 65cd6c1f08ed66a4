#include "services/seatlock/rpc/admin_service.h"

#include <optional>
#include <utility>

#include "services/seatlock/rpc/mutate.h"
#include "services/seatlock/rpc/status.h"

namespace seatlock::rpc {

AdminService::AdminService(engine::Engine& engine, Calls& calls, bool answers)
    : engine_(engine), calls_(calls), answers_(answers) {}

grpc::ServerUnaryReactor* AdminService::Refuse(Method method,
                                               grpc::CallbackServerContext* context) {
  UnaryCall call(calls_, method, context);
  if (call.refused()) return call.reactor();
  call.Finish(NoAdminHere());
  return call.reactor();
}

grpc::ServerUnaryReactor* AdminService::BlockSeats(grpc::CallbackServerContext* context,
                                                   const v1::BlockSeatsRequest* request,
                                                   v1::BlockSeatsResponse* response) {
  if (!answers_) return Refuse(Method::kBlockSeats, context);
  return Mutate(engine_, calls_, Method::kBlockSeats, context, request, response);
}

grpc::ServerUnaryReactor* AdminService::UnblockSeats(grpc::CallbackServerContext* context,
                                                     const v1::UnblockSeatsRequest* request,
                                                     v1::UnblockSeatsResponse* response) {
  if (!answers_) return Refuse(Method::kUnblockSeats, context);
  return Mutate(engine_, calls_, Method::kUnblockSeats, context, request, response);
}

grpc::ServerUnaryReactor* AdminService::ReleaseSeats(grpc::CallbackServerContext* context,
                                                     const v1::ReleaseSeatsRequest* request,
                                                     v1::ReleaseSeatsResponse* response) {
  if (!answers_) return Refuse(Method::kReleaseSeats, context);
  return Mutate(engine_, calls_, Method::kReleaseSeats, context, request, response);
}

grpc::ServerUnaryReactor* AdminService::CloseShowtime(grpc::CallbackServerContext* context,
                                                      const v1::CloseShowtimeRequest* request,
                                                      v1::CloseShowtimeResponse* response) {
  if (!answers_) return Refuse(Method::kCloseShowtime, context);
  return Mutate(engine_, calls_, Method::kCloseShowtime, context, request, response);
}

grpc::ServerUnaryReactor* AdminService::DeleteShowtime(grpc::CallbackServerContext* context,
                                                       const v1::DeleteShowtimeRequest* request,
                                                       v1::DeleteShowtimeResponse* response) {
  if (!answers_) return Refuse(Method::kDeleteShowtime, context);
  UnaryCall call(calls_, Method::kDeleteShowtime, context);
  if (call.refused()) return call.reactor();
  call.NoteShowtime(request->showtime_id());
  if (auto violation = CheckShowtime(request->showtime_id())) {
    call.Finish(InvalidFields({*std::move(violation)}));
    return call.reactor();
  }
  engine::Deletion deletion;
  deletion.principal = call.principal();
  deletion.cancelled = [call] { return call.Gone(); };
  deletion.done = [call, response](const std::optional<engine::Failure>& failure) {
    if (failure) return call.Finish(ToStatus(*failure));
    call.Succeed(response);
  };
  engine_.Delete(domain::ShowtimeId(request->showtime_id()), std::move(deletion));
  return call.reactor();
}

}  // namespace seatlock::rpc
