// What the service says with a refusal, taken out of the status that a call failed with. Values.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "seatlock/v1/seats.pb.h"

namespace seatlock::client {

struct CallError {
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string message;
  // ErrorInfo.reason, such as "SEAT_TAKEN"; empty if the service said none (no connection).
  std::string reason;
  // ErrorInfo.metadata, such as {"limit", "100"}.
  std::map<std::string, std::string> metadata;
  // Every seat that stood in the way.
  std::vector<v1::SeatConflict> conflicts;
  // "field: what it must be", of an INVALID_FIELD.
  std::vector<std::string> fields;
  // When the service wants to be asked again, if it said so; a year at most.
  std::optional<std::chrono::milliseconds> retry_after;
  // The address of the server that was asked last; empty if none was.
  std::string server;

  // The service did nothing, in no attempt: asking again cannot do it twice.
  bool NothingHappened() const;
  // It is not known whether a mutation happened. Ask again with the same request_id: if it
  // happened, that gives its first answer.
  bool MayHaveHappened() const;
};

// The error behind a status that a Client or Watch returned. Any other status gives its code and
// message alone.
CallError ErrorOf(const absl::Status& status);

// For those who call the service with stubs of their own: a status that ErrorOf explains, made of
// what a grpc::Status has. `details` is its error_details(), a serialized google.rpc.Status; if it
// is empty or no such message, the status has its code and message alone.
absl::Status MakeStatus(absl::StatusCode code, std::string_view message, std::string_view details);

}  // namespace seatlock::client
