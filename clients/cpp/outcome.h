// What the client adds to the status of a failed call, for ErrorOf to find. Pure functions.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace seatlock::client {

// `status`, whose ErrorOf has the outcome "none": the request was not sent.
absl::Status WithNothingDone(absl::Status status);

// `status`, whose ErrorOf has this server. With `in_message` its message says so, too: for those
// who have several servers.
absl::Status WithServer(const absl::Status& status, const std::string& server, bool in_message);

// `status`, whose ErrorOf has the outcome "unknown": this or an earlier attempt may have happened.
absl::Status WithUnknownOutcome(const absl::Status& status);

}  // namespace seatlock::client
