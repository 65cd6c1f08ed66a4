// A connection to a store's primary, for questions that may block (sync_client.h).
#pragma once

#include "absl/status/statusor.h"
#include "services/seatlock/log/redis/redis_options.h"
#include "services/seatlock/log/redis/sync_client.h"

namespace seatlock::log {

// How long a tool waits for Redis, for each answer.
inline constexpr int64_t kToolTimeoutMs = 5000;

struct Primary {
  RedisAddress address;
  SyncClient client;  // its database is selected
};

// The one that the Sentinels name, or the first of the addresses that calls itself a primary.
// UNAVAILABLE: there is none now. FAILED_PRECONDITION: an address or a password that is wrong. One
// line that says where.
absl::StatusOr<Primary> ConnectToPrimary(const RedisOptions& options,
                                         int64_t timeout_ms = kToolTimeoutMs);

}  // namespace seatlock::log
