// Writes histories of another store into Redis as they are: revisions, chains, snapshots, wake
// times. Only between BeginRestore and EndRestore (installation.h), while no server serves the
// store.
//
// Thread-compatible; blocks. Errors: as sync_client.h.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/seatlock/log/histories.h"
#include "services/seatlock/log/redis/sync_client.h"

namespace seatlock::log {

class RedisImport {
 public:
  // `client` outlives this.
  RedisImport(SyncClient& client, std::string prefix)
      : client_(client), prefix_(std::move(prefix)) {}

  // The next page of a showtime's records.
  absl::Status AddRecords(const domain::ShowtimeId& showtime,
                          const std::vector<StoredRecord>& records);
  // One of its snapshots; `slot` is 0 or 1.
  absl::Status AddSnapshot(const domain::ShowtimeId& showtime, const StoredSnapshot& snapshot,
                           int slot);
  // The rest, once records and snapshots are there: from now on the showtime is one.
  // `last_commit_ms` is its newest record's; 0 if none is kept.
  absl::Status Finish(const domain::ShowtimeId& showtime, const Histories::History& history,
                      int64_t last_commit_ms);

 private:
  SyncClient& client_;
  const std::string prefix_;
};

}  // namespace seatlock::log
