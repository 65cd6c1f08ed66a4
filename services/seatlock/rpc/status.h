// The one place that turns refusals and failures into gRPC's statuses with their rich details.
// Pure functions.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/seatlock/domain/refusal.h"
#include "services/seatlock/engine/outcome.h"
#include "services/seatlock/guard/authenticator.h"
#include "services/seatlock/guard/rates.h"
#include "services/seatlock/guard/scopes.h"

namespace seatlock::rpc {

// How a reason looks on the wire.
struct ReasonRow {
  std::string_view name;  // google.rpc.ErrorInfo.reason
  grpc::StatusCode code;
  bool retry;  // with google.rpc.RetryInfo
};

ReasonRow RowOf(domain::Reason reason);
// None for a caller that has gone: plain CANCELLED.
std::optional<ReasonRow> RowOf(engine::Failure::Kind kind);

grpc::Status ToStatus(const domain::Refusal& refusal);
grpc::Status ToStatus(const engine::Failure& failure);
// Says nothing of what the caller sent.
grpc::Status ToStatus(guard::Denied denied);
// SCOPE_MISSING, with the scope that a call needs.
grpc::Status ScopeMissing(guard::Need need);
// INVALID_FIELD; `violations` is not empty.
grpc::Status InvalidFields(std::vector<domain::FieldViolation> violations);
// RATE_LIMITED; its metadata say which `limit` it was.
grpc::Status RateLimited(const guard::Rates::Refused& refused);
// SNAPSHOT_TOO_LARGE.
grpc::Status SnapshotTooLarge();
// SCOPE_MISSING: the admin service does not answer on a listener beyond loopback without identity.
grpc::Status NoAdminHere();
// A request that is no such message: what gRPC 1.51 answers if it parses the request itself.
grpc::Status Unparsed();

// What a call came to, in a word: the reason that its status carries, else gRPC's code ("OK").
std::string OutcomeOf(const grpc::Status& status);

// "2026-01-31T12:00:00.250Z", as protobuf's JSON writes a Timestamp. `ms`: Unix time.
std::string Rfc3339(int64_t ms);

}  // namespace seatlock::rpc
