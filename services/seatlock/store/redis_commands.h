// What an operator does with a store in Redis.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/redis/redis_options.h"
#include "services/seatlock/store/backup.h"
#include "services/seatlock/store/progress.h"

namespace seatlock::store {

// Writes the installation's marker, without which no server serves the store (log/redis/
// installation.h says what is refused, and what `accept` accepts). Answers what was done, for a
// person.
absl::StatusOr<std::string> InitRedis(const log::RedisOptions& options, bool accept);

// Moves what the SQLite backup at `from` holds into a Redis that holds no showtime: every record,
// snapshot and wake time, under a new generation. FAILED_PRECONDITION: `from` is no sound store, or
// Redis holds showtimes; nothing was changed then. From the first write on until all of it was read
// back and folded no server serves the store, whenever this is cut short. Run it again then.
absl::StatusOr<RestoreReport> RestoreToRedis(const std::string& from,
                                             const log::RedisOptions& options, Progress& progress);

}  // namespace seatlock::store
