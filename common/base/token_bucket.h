// A token bucket of eight bytes: it remembers only when it is full again, so one that nobody uses
// costs nothing. The caller keeps the rate, which stays the same, and the clock: a monotonic one
// from 0 on. Thread-compatible.
#pragma once

#include <algorithm>
#include <cstdint>

namespace seatlock::base {

struct TokenRate {
  int64_t burst = 1;       // What a full bucket holds; positive.
  int64_t per_second = 1;  // What comes back; positive, at most a million.
};

class TokenBucket {
 public:
  // Full to begin with.
  TokenBucket() = default;

  // Takes `tokens`, at most a burst, and returns 0; or takes nothing, and returns after how many ms
  // there are enough.
  int64_t Take(TokenRate rate, int64_t now_ms, int64_t tokens = 1) {
    const int64_t wait_ms = WaitMs(rate, now_ms, tokens);
    if (wait_ms == 0) Charge(rate, now_ms, tokens);
    return wait_ms;
  }
  // What Take() would return, and takes nothing. 0 tokens: how long until nothing is owed.
  int64_t WaitMs(TokenRate rate, int64_t now_ms, int64_t tokens) const {
    const int64_t missing_us = EmptyUs(now_ms) + Us(rate, tokens) - Us(rate, rate.burst);
    return missing_us > 0 ? (missing_us + kUsAMs - 1) / kUsAMs : 0;
  }
  // Takes `tokens`, and owes those that are not there: for what is known only once it was given.
  void Charge(TokenRate rate, int64_t now_ms, int64_t tokens) {
    full_at_us_ = now_ms * kUsAMs + EmptyUs(now_ms) + Us(rate, tokens);
  }

  // Puts back what was taken, at most until it is full.
  void GiveBack(TokenRate rate, int64_t tokens = 1) { full_at_us_ -= Us(rate, tokens); }

  bool Full(int64_t now_ms) const { return full_at_us_ <= now_ms * kUsAMs; }

 private:
  static constexpr int64_t kUsAMs = 1'000;
  static constexpr int64_t kUsASecond = 1'000'000;

  // How long it takes until it is full.
  int64_t EmptyUs(int64_t now_ms) const {
    return std::max(full_at_us_ - now_ms * kUsAMs, int64_t{0});
  }
  // How long `tokens` take to come back, rounded up.
  static constexpr int64_t Us(TokenRate rate, int64_t tokens) {
    return (tokens * kUsASecond + rate.per_second - 1) / rate.per_second;
  }

  int64_t full_at_us_ = 0;
};

}  // namespace seatlock::base
