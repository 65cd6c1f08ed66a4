// The one way of every call that changes a showtime: checks its fields, hands the command to the
// engine with its caller, and answers once the change is durable.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "services/seatlock/domain/decide.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/validate.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/guard/rates.h"
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

// Whether its seats count as locks for the rates. What gives seats back does not.
template <typename Request>
constexpr bool kLocksSeats =
    std::is_same_v<Request, v1::LockSeatRequest> || std::is_same_v<Request, v1::LockSeatsRequest> ||
    std::is_same_v<Request, v1::ExtendLocksRequest>;

// Of a request that locks, whose fields are in bounds: the seats that it names. All: how many they
// are is known once it was decided.
template <typename Request>
size_t SeatsNamed(const Request& request) {
  if constexpr (requires { request.seat_id(); }) {
    return 1;
  } else {
    return std::max<size_t>(1, static_cast<size_t>(request.seat_ids_size()));
  }
}

// ExtendLocks of all came to `answer`: its sender owes for what TakeLock did not know.
template <typename Request>
void OweForAll(const UnaryCall& call, const Request& request, const domain::Answer& answer) {
  if constexpr (std::is_same_v<Request, v1::ExtendLocksRequest>) {
    if (!request.all() || answer.locks.size() <= 1) return;
    call.calls().rates.OweMoreSeats({call.principal(), request.session_id()},
                                    answer.locks.size() - 1);
  }
}

// `request` and `response` are gRPC's, which keeps them until the call is finished.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* Mutate(engine::Engine& engine, Calls& calls, Method method,
                                 grpc::CallbackServerContext* context, const Request* request,
                                 Response* response) {
  UnaryCall call(calls, method, context);
  if (call.refused()) return call.reactor();
  call.NoteShowtime(request->showtime_id());
  if constexpr (kLocksSeats<Request>) {
    if (auto refusal =
            TooFast(calls, calls.rates.TakeLock({call.principal(), request->session_id()}))) {
      call.Finish(*refusal);
      return call.reactor();
    }
  }
  domain::Command command = ToCommand(*request);
  command.principal = call.principal();
  std::vector<domain::FieldViolation> violations = Violations(*request, command);
  if (!violations.empty()) {
    call.Finish(InvalidFields(std::move(violations)));
    return call.reactor();
  }
  if constexpr (kLocksSeats<Request>) {
    calls.rates.OweSeats({call.principal(), request->session_id()}, SeatsNamed(*request));
  }
  engine::Work work;
  work.command = std::move(command);
  work.cancelled = [call] { return call.Gone(); };
  work.done = [call, request, response](engine::Result result) {
    if (auto* answer = std::get_if<domain::Answer>(&result)) {
      OweForAll(call, *request, *answer);
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
