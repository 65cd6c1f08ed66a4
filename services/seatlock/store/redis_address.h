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

namespace seatlock {

// As many as anybody has; each is asked in turn while Redis is away.
inline constexpr size_t kRedisAddressesMax = 16;
// More replicas that must all acknowledge make a store that stops more often, not a safer one.
inline constexpr int kRedisReplicasMax = 8;
// Redis has 16 databases unless it is told otherwise.
inline constexpr int kRedisDatabaseMax = 9'999;
// Prefix and name of a Sentinel master go into keys and commands.
inline constexpr size_t kRedisNameBytesMax = 64;

struct RedisAddress {
  enum class Profile { kStrict, kRelaxed };

  std::vector<runtime::HostPort> hosts;
  int database = 0;
  Profile profile = Profile::kStrict;
  // How many replicas must have a change before it is acknowledged; kStrict alone.
  int replicas = 0;
  std::string sentinel;  // the primary's name; empty: the hosts are Redis servers
  std::string prefix;    // before each key; empty: none

  // As it is read, what was left out said. Never with a password.
  std::string ToString() const;

  friend bool operator==(const RedisAddress&, const RedisAddress&) = default;
};

// Whether `text` is meant for Redis, rightly written or not.
bool IsRedisAddress(std::string_view text);

// INVALID_ARGUMENT in words that complete "--store ...".
absl::StatusOr<RedisAddress> ParseRedisAddress(std::string_view text);

// A --store value without what stands before an @: how a wrong one may be repeated.
std::string WithoutCredentials(std::string_view text);

struct RedisCredentials {
  std::string user;      // empty: Redis's default user
  std::string password;  // empty: none is asked for
};

// From SEATLOCK_REDIS_USER and SEATLOCK_REDIS_PASSWORD. INVALID_ARGUMENT, a whole line: a user
// without a password.
absl::StatusOr<RedisCredentials> ReadRedisCredentials();

}  // namespace seatlock
