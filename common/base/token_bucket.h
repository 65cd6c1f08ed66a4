// A token bucket of eight bytes: it remembers only when it is full again, so one that nobody uses
// costs nothing and never overflows. The caller keeps the rate and the clock, and gives the same
// rate each time. Thread-compatible.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace seatlock::base {

struct TokenRate {
  int64_t burst = 1;       // What a full bucket holds; positive.
  int64_t per_second = 1;  // What comes back; positive, at most a million.
};

class TokenBucket {
 public:
  // Full to begin with.
  TokenBucket() = default;

  // Takes `tokens` and returns 0; or takes nothing, and returns after how many ms there are enough.
  // A full bucket gives more than it holds, and then owes that: so no amount is refused for ever.
  int64_t Take(TokenRate rate, int64_t now_ms, int64_t tokens = 1) {
    const int64_t now_us = now_ms * kUsAMs;
    const int64_t empty_us = std::max(full_at_us_, now_us) - now_us;
    const int64_t missing_us =
        empty_us + Us(rate, std::min(tokens, rate.burst)) - Us(rate, rate.burst);
    if (missing_us > 0) return (missing_us + kUsAMs - 1) / kUsAMs;
    full_at_us_ = now_us + empty_us + Us(rate, tokens);
    return 0;
  }

  bool Full(int64_t now_ms) const { return full_at_us_ <= now_ms * kUsAMs; }

 private:
  static constexpr int64_t kUsAMs = 1'000;
  static constexpr int64_t kUsASecond = 1'000'000;

  // How long `tokens` take to come back, rounded up.
  static constexpr int64_t Us(TokenRate rate, int64_t tokens) {
    return (tokens * kUsASecond + rate.per_second - 1) / rate.per_second;
  }

  int64_t full_at_us_ = std::numeric_limits<int64_t>::min();
};

}  // namespace seatlock::base
