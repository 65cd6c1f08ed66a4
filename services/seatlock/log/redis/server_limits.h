// What limits the servers on one store were started with, kept in the store so that two that differ
// are noticed: a lock that one server grants another would refuse.
//
//   {P:meta}:servers   hash: a start's own id -> "<when, Unix ms> <limits>", of the last few starts
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock::log {

// Starts that are remembered: several servers that start at one moment must see each other.
inline constexpr size_t kServerStartsKept = 16;

// Notes that a server was started with `limits` (a text for operators) at `now_ms` (Unix
// milliseconds) under `id`, its own. Answers what the server that was started last before it, or at
// the same time, has, if that is not the same. Blocks. Errors: as sync_client.h and primary.h.
absl::StatusOr<std::optional<std::string>> NoteServerLimits(const RedisOptions& options,
                                                            const std::string& id,
                                                            const std::string& limits,
                                                            int64_t now_ms);

}  // namespace seatlock::log
