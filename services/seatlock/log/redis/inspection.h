// The histories in Redis, read by plain commands: also of a store that no server would serve, such
// as one whose marker is gone or whose settings are wrong. What keys there are: keys.h.
//
// Servers may write meanwhile. What is trimmed or replaced between two reads shows as DATA_LOSS or
// NOT_FOUND: ask Find again, and begin anew if the history is not the same (SameBeginning).
//
// Thread-compatible; blocks. Errors beside the interface's: as sync_client.h.
#pragma once

#include <memory>
#include <string>

#include "services/seatlock/log/histories.h"
#include "services/seatlock/log/redis/primary.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock::log {

class RedisInspection final : public Histories {
 public:
  // FAILED_PRECONDITION also: the store is of a newer version.
  static absl::StatusOr<std::unique_ptr<RedisInspection>> Open(const RedisOptions& options);

  absl::StatusOr<int64_t> ShowtimeCount() override;
  absl::StatusOr<std::vector<domain::ShowtimeId>> Showtimes(const domain::ShowtimeId& after,
                                                            size_t limit) override;
  absl::StatusOr<std::optional<History>> Find(const domain::ShowtimeId& showtime) override;
  absl::StatusOr<Page> Records(const domain::ShowtimeId& showtime, const History& history,
                               domain::Revision from) override;
  absl::StatusOr<StoredSnapshot> Snapshot(const domain::ShowtimeId& showtime,
                                          const History& history, const Head& position) override;
  // Whether the marker is there: a server would not serve the store without it.
  absl::Status CheckStore() override;
  absl::Status StillWhole() const override { return absl::OkStatus(); }

 private:
  RedisInspection(Primary primary, std::string prefix)
      : primary_(std::move(primary)), prefix_(std::move(prefix)) {}

  absl::StatusOr<RedisReply> Ask(const std::vector<std::string>& words);
  // The ids of one partition after `after`, in their order.
  absl::StatusOr<std::vector<std::string>> IdsOf(int partition, const std::string& after,
                                                 size_t limit);
  // The chain after `revision`, which is kept, or the newest that is not.
  absl::StatusOr<Chain> ChainAt(const domain::ShowtimeId& showtime, const History& history,
                                domain::Revision revision);
  // The records from `from` on, at most `count`, not verified yet.
  absl::StatusOr<std::vector<StoredRecord>> Range(const domain::ShowtimeId& showtime,
                                                  domain::Revision from, size_t count);

  Primary primary_;
  const std::string prefix_;
};

}  // namespace seatlock::log
