// The port's calls as commands for Redis.
//
// Pure, but for the objects that are the calls: thread-compatible.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "services/seatlock/log/redis/command.h"
#include "services/seatlock/log/redis/redis_store.h"
#include "services/seatlock/log/redis/replies.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {

// An append or a confirmation. `request` is verified.
std::unique_ptr<WriteCall> MakeAppend(absl::string_view prefix, AppendRequest request,
                                      ShowtimeLog::AppendCallback done);
std::unique_ptr<WriteCall> MakeDelete(absl::string_view prefix, domain::ShowtimeId showtime,
                                      ShowtimeLog::StatusCallback done);

// The lane of a showtime's writes.
size_t LaneOf(const domain::ShowtimeId& showtime);

Command PageCommand(absl::string_view prefix, const domain::ShowtimeId& showtime,
                    domain::Revision from, size_t max_records);
Command LoadCommand(absl::string_view prefix, const domain::ShowtimeId& showtime);
Command SnapshotCommand(absl::string_view prefix, const domain::ShowtimeId& showtime,
                        const StoredSnapshot& snapshot);
Command TrimCommand(absl::string_view prefix, const domain::ShowtimeId& showtime, int64_t before_ms,
                    uint64_t keep);
// At most `limit` of a partition, of those at or before `now_ms` and not before `after_ms`.
Command DueCommand(absl::string_view prefix, int partition, int64_t now_ms, int64_t after_ms,
                   size_t limit);
Command ClaimCommand(absl::string_view prefix, int partition, int64_t now_ms, int64_t lease_ms,
                     const std::vector<DueShowtime>& due);
Command CounterCommand(absl::string_view prefix, int partition);
Command ChangedCommand(absl::string_view prefix, int partition, uint64_t since);
Command IdsCommand(absl::string_view prefix, int partition, const domain::ShowtimeId& after,
                   size_t limit);
Command HeadCommand(absl::string_view prefix, const domain::ShowtimeId& showtime);

}  // namespace seatlock::log
