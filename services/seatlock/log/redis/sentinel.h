// Which Redis the Sentinels call the primary.
//
// All that answer are asked, not the first alone: one that was cut off may still name the primary
// of before. Of those that they name, the one of the newest failover counts (the highest
// config-epoch), if it says itself that it is a primary (ROLE).
//
// Functions; thread-safe. SentinelWatch: as it says.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock::log {

// How long one Sentinel, and the primary, may take to connect and for each answer. Those that are
// away cost this each: two dead ones of three leave a watch that still asks each second.
inline constexpr int64_t kSentinelTimeoutMs = 300;
// How often a watch asks.
inline constexpr int64_t kSentinelPeriodMs = 1000;

struct SentinelOptions {
  std::vector<RedisAddress> sentinels;
  std::string name;  // what they call the primary
  // Of the primary, and of those Sentinels that ask for a password.
  std::string user;
  std::string password;
  int64_t timeout_ms = kSentinelTimeoutMs;
  int64_t period_ms = kSentinelPeriodMs;
};

// Asks them, and then the primary. Blocks. UNAVAILABLE, in one line: none answers, or whom they
// name is no primary, as during a failover. FAILED_PRECONDITION: a Sentinel that answers knows no
// such name, is no Sentinel, or refuses the password.
absl::StatusOr<RedisAddress> AskSentinels(const SentinelOptions& options);

// Asks again and again, on a thread of its own, so that nobody else waits. Thread-safe. The
// destructor waits for the question that is under way.
class SentinelWatch {
 public:
  // `told` hears each answer, on the watch's thread; it must not destroy the watch.
  using Told = std::function<void(const absl::StatusOr<RedisAddress>& primary)>;
  SentinelWatch(SentinelOptions options, Told told);
  ~SentinelWatch();
  SentinelWatch(const SentinelWatch&) = delete;
  SentinelWatch& operator=(const SentinelWatch&) = delete;

  // Asks at once, or right after the question that is under way: the primary was lost.
  void AskNow();

 private:
  void Run();
  // Until the next question is due. False: the watch ends.
  bool Wait();

  const SentinelOptions options_;
  const Told told_;

  base::Mutex mu_;
  base::CondVar wake_;
  bool ask_now_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;
};

}  // namespace seatlock::log
