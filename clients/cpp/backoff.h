// How long to wait before the next attempt: a random time below a bound that doubles, so that
// clients which failed together do not come back together. Thread-compatible.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace seatlock::client {

class Backoff {
 public:
  using Ms = std::chrono::milliseconds;

  Backoff(Ms first, Ms max) : first_(first), max_(max), bound_(first) {}

  // Between half the bound and the bound; never less than what the service asked for, of which a
  // minute is obeyed.
  Ms Next(Ms asked_for = Ms(0)) {
    std::uniform_int_distribution<Ms::rep> jitter(bound_.count() / 2, bound_.count());
    const Ms wait(jitter(random_));
    bound_ = std::min(bound_ * 2, max_);
    return std::max(wait, std::min(asked_for, kAskedForMax));
  }

  // After a success.
  void Reset() { bound_ = first_; }

 private:
  // The edge and clients/typescript obey as much. A valid RetryInfo may say 10,000 years, and a
  // clock of nanoseconds that this is added to would overflow into the past.
  static constexpr Ms kAskedForMax = std::chrono::minutes(1);

  const Ms first_;
  const Ms max_;
  Ms bound_;
  std::minstd_rand random_{std::random_device()()};
};

}  // namespace seatlock::client
