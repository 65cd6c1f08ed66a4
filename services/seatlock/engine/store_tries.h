// How often a store that fails is asked again by all showtimes together.
//
// Loads are all reads of the log. While appends (or loads) succeed, they are never held back. From
// the first failure until the next success, or until the store says that it is back, they are let
// through one at a time, kTryIntervalMs apart, whatever the number of showtimes: with both kinds
// failing the store is asked 50 times a second at most. Thread-safe; costs one atomic read while
// all is well.
#pragma once

#include <atomic>
#include <cstdint>

#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {

class StoreTries {
 public:
  // Of one kind: appends, or loads.
  class Kind {
   public:
    // Whether the store may be asked now, which has come back `returns` times. True counts as
    // asking.
    bool May(int64_t now_ms, uint64_t returns) {
      if (!failing_ || returns != returns_) return true;
      int64_t next_ms = next_ms_;
      return now_ms >= next_ms &&
             next_ms_.compare_exchange_strong(next_ms, now_ms + kTryIntervalMs);
    }
    void OnSuccess() {
      if (failing_) failing_ = false;
    }
    void OnFailure(int64_t now_ms, uint64_t returns) {
      returns_ = returns;
      if (!failing_.exchange(true)) next_ms_ = now_ms + kTryIntervalMs;
    }

   private:
    std::atomic<bool> failing_{false};
    std::atomic<int64_t> next_ms_{0};
    std::atomic<uint64_t> returns_{0};
  };

  Kind appends;
  Kind loads;
};

}  // namespace seatlock::engine
