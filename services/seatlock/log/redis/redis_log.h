// The log on Redis 7: a shared store, written by any number of servers.
//
// Thread-safe. One thread of its own talks to Redis and calls back; nothing blocks a caller. The
// callbacks come without a lock held and must be short. The destructor answers what is under way
// (kUnknown or UNAVAILABLE) and joins the thread.
//
// Keys are in keys.h, what runs inside Redis in functions.lua, and what makes an answer count in
// judgement.h. Beside the port's errors:
//   RESOURCE_EXHAUSTED   too much waits already (kNotAppended for an append); the store is well
//   UNAVAILABLE          the store is not served now, Redis did not answer in time, or its answer
//                        does not count: nothing was done by this call
// A confirmation (an append without records) is never kUnknown: kNotAppended with UNAVAILABLE.
//
// The log serves only while all of this is true; until then every call is answered UNAVAILABLE at
// once, Healthy() is false and on_error has said why:
//   - a primary is connected, is the one that Sentinel names, and answers within kRedisSilenceMs
//   - it is set up for the profile (setup_check.h), looked at when connecting and each second
//   - kStrict: at least `replicas` replicas, and all that are connected, have what was written
//   - the installation's marker is there (keys.h), with no counter below one that was confirmed.
//     kRelaxed writes the marker by itself into an empty store, and goes on from a lower counter
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/seatlock/log/redis/redis_options.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {

class RedisStore;

class RedisLog final : public ShowtimeLog {
 public:
  // Connects and looks at the store; blocks for 2 * kRedisConnectMs at most. If no primary can be
  // reached, or one that is merely not ready, the log is open and unhealthy until it can be served.
  // FAILED_PRECONDITION, one line: Redis answers, but is set up wrongly for the profile, refuses
  // the password or a right that is needed, or holds a store of a newer version.
  static absl::StatusOr<std::unique_ptr<RedisLog>> Open(RedisOptions options);
  ~RedisLog() override;

  void Append(AppendRequest request, AppendCallback done) override;
  void Read(domain::ShowtimeId showtime, domain::Revision from, size_t max_records,
            PageCallback done) override;
  void Load(domain::ShowtimeId showtime, LoadCallback done) override;
  void SaveSnapshot(domain::ShowtimeId showtime, StoredSnapshot snapshot,
                    StatusCallback done) override;
  void Trim(domain::ShowtimeId showtime, int64_t before_ms, uint64_t keep,
            StatusCallback done) override;
  void Due(int64_t now_ms, size_t limit, DueCursor after, DueCallback done) override;
  // Asks all partitions for `limit` each: use pages.
  void List(domain::ShowtimeId after, size_t limit, ListCallback done) override;
  void Delete(domain::ShowtimeId showtime, StatusCallback done) override;
  // OK at once: an unknown outcome is settled by the same append.
  void Recover(StatusCallback done) override;
  // Due by `now_ms` and by the store's clock.
  void ClaimDue(int64_t now_ms, size_t limit, int64_t lease_ms, DueCallback done) override;
  bool exclusive() const override { return false; }
  void Follow(HintCallback hint) override;
  // A mark that is not one of this store's is taken for the default.
  void ChangedSince(ChangeMark mark, ChangedCallback done) override;

  // The first 16 digits of the primary's replication id and the first 8 of the installation's, as
  // of the latest answer that counted. Before the first: sixteen zeros.
  std::string Generation() const override;
  int64_t LatestCommitMs() const override { return 0; }
  bool Healthy() const override;
  std::string WhyUnhealthy() const override;
  uint64_t Returns() const override;
  size_t QueuedBytes() const override;
  // That the primary has, whether they may be promoted or not, as of its latest answer.
  int64_t Replicas() const;

 private:
  explicit RedisLog(std::unique_ptr<RedisStore> store);

  // The second question of each call that asks two.
  void Claim(int64_t now_ms, int64_t lease_ms, std::vector<DueShowtime> due, DueCallback done);
  void ListHeads(std::vector<domain::ShowtimeId> ids, ListCallback done);
  void TellChanged(ChangeMark since, ChangeMark now, ChangedCallback done);

  const std::unique_ptr<RedisStore> store_;
  const std::string prefix_;
};

}  // namespace seatlock::log
