// Where the primary is: one of the addresses in turn, or what the Sentinels say. Names are looked
// up on a thread of its own, because that may take long.
//
// All Sentinels are asked at once, because one that was cut off still names the primary of before.
// Of what they answer within kSentinelPatienceMs of the first answer the newest failover counts,
// and none that is older than the one that was followed.
//
// For the loop's thread alone. Destroyed by a task of the loop or after it has ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "common/base/executor.h"
#include "services/seatlock/log/redis/connection.h"
#include "services/seatlock/log/redis/event_loop.h"
#include "services/seatlock/log/redis/redis_options.h"
#include "services/seatlock/log/redis/sentinel_answer.h"

namespace seatlock::log {

class PrimaryFinder {
 public:
  struct Found {
    RedisAddress address;  // as it was named
    std::string ip;        // in digits
    uint64_t epoch = 0;    // of its failover; 0 without Sentinels
  };
  using FoundCallback = absl::AnyInvocable<void(absl::StatusOr<Found>) &&>;

  // `loop` and `options` outlive this.
  PrimaryFinder(EventLoop& loop, const RedisOptions& options);

  // Finds a server that may be the primary; each call tries the next address, or asks the
  // Sentinels. One at a time. `done` comes in a task of the loop, unless this is destroyed before.
  void Find(FoundCallback done);

  // `found` was the primary: from now on none of an older failover is found.
  void Follow(const Found& found);

  // Whether another call may find another server.
  bool has_others() const { return options_.addresses.size() > 1 || !options_.sentinel.empty(); }

  // Gives up Sentinels that do not answer. Call it every kRedisTickMs.
  void CheckSilence();

 private:
  struct Sentinel {
    RedisAddress address;
    bool looked_up = true;           // false: its name is being looked up
    bool owes = false;               // an answer in this round
    std::vector<std::string> names;  // its first answer
    std::unique_ptr<Connection> connection;
  };

  void Resolve(RedisAddress address, FoundCallback done);
  void AskAll();
  void Ask(Sentinel& sentinel, const std::string& ip);
  void OnAnswer(Sentinel& sentinel, absl::StatusOr<NamedPrimary> named);
  // All have answered, or those that have not are not waited for.
  void Decide();
  void Finish(absl::StatusOr<Found> found);

  EventLoop& loop_;
  const RedisOptions& options_;
  size_t next_ = 0;
  FoundCallback done_;
  Found followed_;

  // Of one question to all Sentinels.
  uint64_t round_ = 0;
  std::vector<Sentinel> sentinels_;
  std::vector<NamedPrimary> named_;
  absl::Status error_;
  int64_t first_answer_ms_ = 0;

  // Tells answers that come after the end.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  base::ThreadExecutor names_;
};

}  // namespace seatlock::log
