// Which Redis the Sentinels call the primary.
//
// All that answer are asked, not the first alone: one that was cut off may still name the primary
// of before. Of those that they name, the one of the newest failover counts (the highest
// config-epoch), if it says itself that it is a primary (ROLE).
//
// For tools: the log asks on its own (primary_finder.h). Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock::log {

// How long one Sentinel, and the primary, may take to connect and for each answer: those that are
// away cost this each.
inline constexpr int64_t kSentinelTimeoutMs = 1000;

struct SentinelOptions {
  std::vector<RedisAddress> sentinels;
  std::string name;  // what they call the primary
  // Of the primary, and of those Sentinels that ask for a password.
  std::string user;
  std::string password;
  int64_t timeout_ms = kSentinelTimeoutMs;
};

// Asks them, and then the primary. Blocks. UNAVAILABLE, in one line: none answers, or whom they
// name is no primary, as during a failover. FAILED_PRECONDITION: a Sentinel that answers knows no
// such name, is no Sentinel, or refuses the password.
absl::StatusOr<RedisAddress> AskSentinels(const SentinelOptions& options);

}  // namespace seatlock::log
