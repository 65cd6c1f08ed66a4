// What the service asks of those whom it refuses. Pure.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>

namespace seatlock::edge {

// When it wants to be asked again (google.rpc.RetryInfo), at most kStreamRetryMsMax; 0 if it said
// nothing, or nothing that can be read.
int64_t RetryAfterMs(const grpc::Status& status);

}  // namespace seatlock::edge
