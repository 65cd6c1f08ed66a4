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
  // ErrorInfo.reason, such as "SEAT_TAKEN"; empty where the service said none (no connection).
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
  // Whether a mutation happened is not known: asking again with its request_id settles it.
  bool MayHaveHappened() const;
};

// The error behind a status that a Client or Watch returned. Any other status gives its code and
// message alone.
CallError ErrorOf(const absl::Status& status);

// A status that carries `details`, the serialized google.rpc.Status of a failed call's
// grpc-status-details-bin (may be empty). What is not such a message is ignored.
absl::Status MakeStatus(absl::StatusCode code, std::string_view message, std::string_view details);

// `status`, whose ErrorOf has the outcome "none": the request was not sent.
absl::Status WithNothingDone(absl::Status status);

// `status`, whose ErrorOf has this server. With `in_message` its message says so, too: for those
// who have several servers.
absl::Status WithServer(const absl::Status& status, const std::string& server, bool in_message);

// `status`, whose ErrorOf has the outcome "unknown": this or an earlier attempt may have happened.
absl::Status WithUnknownOutcome(const absl::Status& status);

}  // namespace seatlock::client
