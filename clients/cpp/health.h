// What a server says of itself by grpc.health.v1, apart from any list of servers and from retries:
// for those who look after servers.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "seatlock/tls_options.h"

namespace seatlock::client {

// OK: it serves. FailedPrecondition: it answers, and says that it does not serve just now: it
// drains, or its store cannot be written. Any other status is why there is no answer, in one line.
// Blocks for `timeout` at most. Thread-safe.
absl::Status CheckHealth(const std::string& server, std::chrono::milliseconds timeout,
                         const std::optional<TlsOptions>& tls = {});

}  // namespace seatlock::client
