// Asks a server of Redis what it says of itself. For the loop's thread alone.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/redis/connection.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock::log {

// `done` is called once. FAILED_PRECONDITION: INFO was refused. CANCELLED: the connection was lost,
// and its owner is told why. A server that refuses CONFIG GET has said no settings.
void AskFacts(Connection& connection, RedisAddress address,
              absl::AnyInvocable<void(absl::StatusOr<RedisFacts>) &&> done);

}  // namespace seatlock::log
