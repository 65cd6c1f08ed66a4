// The machine's two clocks, standing still until they are told to move. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/base/clock.h"

namespace seatlock::testing {

class FakeClockSource final : public base::ClockSource {
 public:
  int64_t WallUs() const override { return wall_us_.load(); }
  int64_t BootUs() const override { return boot_us_.load(); }

  // Lets time pass: both move.
  void AdvanceUs(int64_t us) {
    wall_us_ += us;
    boot_us_ += us;
  }
  void AdvanceMs(int64_t ms) { AdvanceUs(ms * 1000); }
  // Somebody sets the machine's clock, forward or (below 0) back.
  void JumpMs(int64_t ms) { wall_us_ += ms * 1000; }

 private:
  std::atomic<int64_t> wall_us_{1'700'000'000'000'000};
  std::atomic<int64_t> boot_us_{5'000'000};
};

}  // namespace seatlock::testing
