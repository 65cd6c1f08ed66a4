// A clock that stands still until it is told to move. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/base/clock.h"

namespace seatlock::testing {

class FakeClock final : public base::Clock {
 public:
  explicit FakeClock(int64_t start_ms = 1'700'000'000'000) : now_us_(start_ms * 1000) {}

  int64_t NowMs() const override { return now_us_.load() / 1000; }
  int64_t MonotonicMs() const override { return now_us_.load() / 1000; }
  int64_t MonotonicUs() const override { return now_us_.load(); }

  void AdvanceMs(int64_t ms) { now_us_ += ms * 1000; }
  // Sets the clock, backwards too.
  void SetMs(int64_t ms) { now_us_ = ms * 1000; }

 private:
  std::atomic<int64_t> now_us_;
};

}  // namespace seatlock::testing
