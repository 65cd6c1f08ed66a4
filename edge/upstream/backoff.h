// Growing pauses between tries. Full jitter: anything up to the bound, so that many showtimes do
// not come back at one moment. Thread-compatible.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "edge/limits.h"

namespace seatlock::edge {

class Backoff {
 public:
  int64_t NextMs() {
    std::uniform_int_distribution<int64_t> below(0, bound_ms_);
    bound_ms_ = std::min(2 * bound_ms_, kStreamBackoffMsMax);
    return below(random_);
  }
  void Reset() { bound_ms_ = kStreamBackoffMsMin; }
  // Anything from `min` to `max`.
  int64_t Within(int64_t min, int64_t max) {
    return std::uniform_int_distribution<int64_t>(min, max)(random_);
  }

 private:
  std::minstd_rand random_{std::random_device{}()};
  int64_t bound_ms_ = kStreamBackoffMsMin;
};

}  // namespace seatlock::edge
