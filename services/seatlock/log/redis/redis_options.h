// What a Redis log is told when it is opened, and what it hands to those who judge a Redis.
//
// Values; thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "services/seatlock/log/redis/limits.h"

namespace seatlock::log {

// kStrict: nothing that was acknowledged is lost, by a restart or by a failover to one of the
// `replicas`. Redis must be set up for it (setup_check.h).
// kRelaxed: a crash may lose the last second, and a failover what the replica lacks.
enum class RedisProfile { kStrict, kRelaxed };

struct RedisAddress {
  std::string host;  // a name or an address; an IPv6 address without brackets
  uint16_t port = 6379;

  friend bool operator==(const RedisAddress&, const RedisAddress&) = default;
};

// One answer of the store that says what time it is there. The clock in it was read after
// `sent_us` and before `received_us` (Clock::MonotonicUs).
struct RedisTime {
  int64_t store_us = 0;  // Unix time, microseconds
  int64_t sent_us = 0;
  int64_t received_us = 0;
};

struct RedisOptions {
  // Redis servers, of which one is the primary, or, if `sentinel` is not empty, Sentinels.
  std::vector<RedisAddress> addresses;
  // What the Sentinels call the primary. Empty: no Sentinel.
  std::string sentinel;
  int database = 0;
  RedisProfile profile = RedisProfile::kStrict;
  // kStrict: how many replicas must have what is acknowledged. 0 with Sentinel or several addresses
  // is for the caller to refuse: a failover would lose what was acknowledged.
  int replicas = 0;
  // Keeps installations on one Redis apart. 1 to 32 of letters, digits, '_' and '-'.
  std::string prefix = "sl";
  std::string user;  // empty: Redis's default user
  std::string password;

  size_t queue_bytes_max = kRedisQueueBytesMaxDefault;
  const base::Clock* clock = &base::SystemClock();  // outlives the log

  // The callbacks come on the store's own thread, one at a time, and must not block. Each may be
  // empty.
  //
  // Why the store cannot be served now, for operators; callers hear less. The first of an outage
  // ends the serving; then once for each other reason, not once for each try (telling.h). A wrong
  // set-up is FAILED_PRECONDITION.
  std::function<void(const absl::Status&)> on_error;
  // The store is served after on_error, and has been for kRedisSteadyMs.
  std::function<void()> on_served;
  // The history counts as another one from now on.
  std::function<void(const std::string&)> on_notice;
  // A pipeline of `appends` appends was acknowledged `us` microseconds after it was sent.
  std::function<void(size_t appends, int64_t us)> on_commit;
  // At least once a second while the store answers.
  std::function<void(const RedisTime&)> on_time;
};

// What a server of Redis says of itself: the texts that setup_check.h judges.
struct RedisFacts {
  RedisAddress address;
  std::map<std::string, std::string> info;    // the fields of INFO, all of its default sections
  std::map<std::string, std::string> config;  // of kRedisSettings
};

// The settings that are asked for, by CONFIG GET.
inline constexpr const char* kRedisSettings[] = {
    "appendonly",       "appendfsync",           "no-appendfsync-on-rewrite",
    "maxmemory-policy", "min-replicas-to-write", "min-replicas-max-lag",
};

}  // namespace seatlock::log
