// How long to wait before the next attempt: a random time below a bound that doubles, so that
// clients which failed together do not come back together. Thread-compatible.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>

namespace seatlock::client {

class Backoff {
 public:
  using Ms = std::chrono::milliseconds;

  Backoff(Ms first, Ms max) : first_(first), max_(max), bound_(first) {}

  // Between half the bound and the bound. If the service asked for more than that half: between
  // what it asked for, of which a minute is obeyed, and half as much again, so that those who were
  // asked together do not come back together. That half takes at most half of what is left of
  // `left`, so that an attempt has the rest.
  Ms Next(Ms asked_for = Ms(0), Ms left = Ms::max()) {
    const Ms least = std::max(bound_ / 2, std::min(asked_for, kAskedForMax));
    const Ms width = std::max(Ms(0), std::min(std::max(bound_, least), left - least) / 2);
    bound_ = std::min(bound_ * 2, max_);
    // A seed costs more than a call that needs no pause, so it is taken here.
    if (!random_) random_.emplace(std::random_device()());
    return least + Ms(std::uniform_int_distribution<Ms::rep>(0, width.count())(*random_));
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
  std::optional<std::minstd_rand> random_;
};

}  // namespace seatlock::client
