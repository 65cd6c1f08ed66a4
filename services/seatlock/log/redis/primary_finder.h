// Where the primary is: one of the addresses in turn, or what a Sentinel says. Names are looked up
// on a thread of its own, because that may take long.
//
// For the loop's thread alone. Destroyed by a task of the loop or after it has ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "common/base/executor.h"
#include "services/seatlock/log/redis/connection.h"
#include "services/seatlock/log/redis/event_loop.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock::log {

class PrimaryFinder {
 public:
  struct Found {
    RedisAddress address;  // as it was named
    std::string ip;        // in digits
  };
  using FoundCallback = absl::AnyInvocable<void(absl::StatusOr<Found>) &&>;

  // `loop` and `options` outlive this.
  PrimaryFinder(EventLoop& loop, const RedisOptions& options);

  // Finds a server that may be the primary; each call tries the next address or Sentinel. One at a
  // time. `done` comes in a task of the loop, unless this is destroyed before.
  void Find(FoundCallback done);

  // Whether another call may find another server.
  bool has_others() const { return options_.addresses.size() > 1 || !options_.sentinel.empty(); }

  // Gives up a Sentinel that does not answer.
  void CheckSilence();

 private:
  void Resolve(RedisAddress address, absl::AnyInvocable<void(absl::StatusOr<Found>) &&> done);
  void AskSentinel(const Found& sentinel);
  void OnSentinelAnswer(const redisReply* reply);
  void Finish(absl::StatusOr<Found> found);

  EventLoop& loop_;
  const RedisOptions& options_;
  size_t next_ = 0;
  FoundCallback done_;
  std::unique_ptr<Connection> sentinel_;
  RedisAddress asked_;
  // Tells answers that come after the end.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  base::ThreadExecutor names_;
};

}  // namespace seatlock::log
