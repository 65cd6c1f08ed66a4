// What every command of seatctl does that asks the service once: makes its request of the
// arguments, and prints the answer or why there is none.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "clients/cli/args.h"
#include "clients/cli/format.h"
#include "google/protobuf/duration.pb.h"
#include "seatlock/client.h"

namespace seatlock::cli {

client::ClientOptions ClientOptionsOf(const CommonArgs& args);

// False if nobody reads any more.
bool Print(const std::string& text);

// Prints the failure. Returns the exit code.
int Fail(const Args& args, const absl::Status& status);

void SetDuration(int64_t ms, google::protobuf::Duration* duration);

// Fills in the fields that the requests have in common.
template <typename Request>
Request MakeRequest(const Args& args) {
  Request request;
  request.set_showtime_id(args.showtime);
  if constexpr (requires { request.mutable_seat_ids(); }) {
    *request.mutable_seat_ids() = {args.seats.begin(), args.seats.end()};
  }
  if constexpr (requires { request.set_session_id(""); }) request.set_session_id(args.session);
  if constexpr (requires { request.set_order_id(""); }) request.set_order_id(args.order);
  if constexpr (requires { request.set_request_id(""); }) request.set_request_id(args.request_id);
  if constexpr (requires { request.set_all(true); }) request.set_all(args.all);
  if constexpr (requires { request.mutable_ttl(); }) {
    if (args.ttl_ms.has_value()) SetDuration(*args.ttl_ms, request.mutable_ttl());
  }
  return request;
}

// Prints the answer, as JSON or as `table` makes it.
template <typename Response, typename Table>
int Answer(const Args& args, const absl::StatusOr<Response>& response, Table table) {
  if (!response.ok()) return Fail(args, response.status());
  Print(args.json ? JsonLine(*response) : table(*response));
  return kExitOk;
}

}  // namespace seatlock::cli
