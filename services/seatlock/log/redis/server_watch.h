// Judges what the primary and, for kStrict, its replicas say of themselves, each second.
//
// The replicas are those that the primary names; each gets a connection of its own. For the loop's
// thread alone. Destroyed by a task of the loop or after it has ended.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/seatlock/log/redis/connection.h"
#include "services/seatlock/log/redis/event_loop.h"
#include "services/seatlock/log/redis/redis_options.h"
#include "services/seatlock/log/redis/setup_check.h"

namespace seatlock::log {

class ServerWatch {
 public:
  // `loop` and `options` outlive this.
  ServerWatch(EventLoop& loop, const RedisOptions& options);
  ~ServerWatch();

  // Judges the primary by `facts`, and its replicas by what they said last. ABORTED: one of them
  // has not said anything yet, ask again.
  absl::Status Judge(const RedisFacts& facts);

  // How many of these are online and may be promoted, by what they said last.
  int Promotable(const std::vector<ReplicaLine>& replicas) const;

  // Gives up replicas that do not answer.
  void CheckSilence();

 private:
  struct Replica {
    RedisAddress address;
    std::string syncs;
    RewriteWatch rewrites;
    bool asking = false;
    bool promotable = false;
    absl::Status status;
    // The last member: while it is destroyed it answers what it owes, into the others.
    std::unique_ptr<Connection> connection;
  };

  absl::Status JudgeReplicas(const RedisFacts& primary);
  // Asks it for what Judge will see the next time.
  void Ask(Replica& replica);

  EventLoop& loop_;
  const RedisOptions& options_;
  const SetupWanted wanted_;
  std::map<std::string, RewriteWatch> primaries_;  // by address
  std::map<std::string, std::unique_ptr<Replica>> replicas_;
};

}  // namespace seatlock::log
