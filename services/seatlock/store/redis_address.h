// A --store value of the form redis://…, taken apart:
//
//   redis://HOST:PORT[,HOST:PORT…][/DB]?profile=strict|relaxed&replicas=N&sentinel=NAME&prefix=…
//
// With sentinel= the addresses are the sentinels'. User and password come from the environment
// alone, because arguments show in lists of processes. Values and functions; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/runtime/net.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock {

// As many as anybody has; each is asked in turn while Redis is away.
inline constexpr size_t kRedisAddressesMax = 16;
// More replicas that must all acknowledge make a store that stops more often, not a safer one.
inline constexpr int kRedisReplicasMax = 8;
// Redis has 16 databases unless it is told otherwise.
inline constexpr int kRedisDatabaseMax = 9'999;
// What Sentinels call a primary goes into commands, the prefix into each key.
inline constexpr size_t kRedisSentinelBytesMax = 64;
inline constexpr size_t kRedisPrefixBytesMax = 32;

struct RedisStoreAddress {
  std::vector<runtime::HostPort> hosts;
  int database = 0;
  log::RedisProfile profile = log::RedisProfile::kStrict;
  // How many replicas must have a change before it is acknowledged; kStrict alone.
  int replicas = 0;
  std::string sentinel;       // the primary's name; empty: the hosts are Redis servers
  std::string prefix = "sl";  // keeps installations on one Redis apart

  // As it is read, what was left out said. Never with a password.
  std::string ToString() const;

  friend bool operator==(const RedisStoreAddress&, const RedisStoreAddress&) = default;
};

// Whether `text` is meant for Redis, rightly written or not.
bool IsRedisAddress(std::string_view text);

// INVALID_ARGUMENT in words that complete "--store ...".
absl::StatusOr<RedisStoreAddress> ParseRedisAddress(std::string_view text);

// A --store value without what stands before an @: how a wrong one may be repeated.
std::string WithoutCredentials(std::string_view text);

struct RedisCredentials {
  std::string user;      // empty: Redis's default user
  std::string password;  // empty: none is asked for
};

// What a log is opened with: the address and the credentials. The rest is for the caller to set.
log::RedisOptions OptionsOf(const RedisStoreAddress& address, const RedisCredentials& credentials);

// From SEATLOCK_REDIS_USER and SEATLOCK_REDIS_PASSWORD. INVALID_ARGUMENT, a whole line: a user
// without a password.
absl::StatusOr<RedisCredentials> ReadRedisCredentials();

}  // namespace seatlock
