// The one way of every call that changes a showtime: checks its fields, hands the command to the
// engine with its caller, and answers once the change is durable.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "services/seatlock/domain/decide.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/validate.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/rpc/convert.h"
#include "services/seatlock/rpc/status.h"
#include "services/seatlock/rpc/unary_call.h"

namespace seatlock::rpc {

inline std::optional<domain::FieldViolation> CheckShowtime(const std::string& id) {
  return domain::CheckId("showtime_id", id, domain::kShowtimeIdBytesMax);
}

// What is out of bounds, by the names that the request's own message has for its fields.
template <typename Request>
std::vector<domain::FieldViolation> Violations(const Request& request,
                                               const domain::Command& command) {
  std::vector<domain::FieldViolation> violations = domain::Validate(command);
  if constexpr (requires { request.seat_id(); }) {
    for (domain::FieldViolation& violation : violations) {
      if (violation.field == "seat_ids[0]") violation.field = "seat_id";
    }
  }
  if (auto violation = CheckShowtime(request.showtime_id())) {
    violations.insert(violations.begin(), *std::move(violation));
  }
  return violations;
}

// `request` and `response` are gRPC's, which keeps them until the call is finished.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* Mutate(engine::Engine& engine, Calls& calls, Method method,
                                 grpc::CallbackServerContext* context, const Request* request,
                                 Response* response) {
  UnaryCall call(calls, method, context);
  if (call.refused()) return call.reactor();
  call.NoteShowtime(request->showtime_id());
  domain::Command command = ToCommand(*request);
  command.principal = call.principal();
  std::vector<domain::FieldViolation> violations = Violations(*request, command);
  if (!violations.empty()) {
    call.Finish(InvalidFields(std::move(violations)));
    return call.reactor();
  }
  engine::Work work;
  work.command = std::move(command);
  work.cancelled = [call] { return call.Gone(); };
  work.done = [call, request, response](engine::Result result) {
    if (auto* answer = std::get_if<domain::Answer>(&result)) {
      FillResponse(*request, *answer, response);
      return call.Succeed(response);
    }
    if (auto* refusal = std::get_if<domain::Refusal>(&result)) {
      return call.Finish(ToStatus(*refusal));
    }
    call.Finish(ToStatus(std::get<engine::Failure>(result)));
  };
  engine.Submit(domain::ShowtimeId(request->showtime_id()), std::move(work));
  return call.reactor();
}

}  // namespace seatlock::rpc
