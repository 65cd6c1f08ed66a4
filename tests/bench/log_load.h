// A load on the Redis log alone: what it takes without engine and gRPC, at the same durability.
#pragma once

#include <chrono>
#include <cstdint>

#include "absl/status/statusor.h"

namespace seatlock::bench {

// Appends one record of 150 bytes after the other to `showtimes` showtimes of their own, with
// `in_flight` showtimes' appends under way, on the initialised Redis at 127.0.0.1:`port`. Appends a
// second. Blocks.
absl::StatusOr<double> AppendToLog(uint16_t port, uint64_t showtimes, int in_flight,
                                   std::chrono::milliseconds duration);

}  // namespace seatlock::bench
