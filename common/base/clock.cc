#include "common/base/clock.h"

#include <time.h>

namespace seatlock::base {
namespace {

constexpr int64_t kUsPerMs = 1000;

int64_t ReadUs(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);  // cannot fail for the two clocks that are asked for here
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

class RealSource final : public ClockSource {
 public:
  int64_t WallUs() const override { return ReadUs(CLOCK_REALTIME); }
  int64_t BootUs() const override { return ReadUs(CLOCK_BOOTTIME); }
};

class RealClock final : public Clock {
 public:
  int64_t NowMs() const override { return ReadUs(CLOCK_REALTIME) / kUsPerMs; }
  int64_t MonotonicMs() const override { return ReadUs(CLOCK_BOOTTIME) / kUsPerMs; }
  int64_t MonotonicUs() const override { return ReadUs(CLOCK_BOOTTIME); }
};

}  // namespace

const Clock& SystemClock() {
  static const RealClock clock;
  return clock;
}

const ClockSource& SystemClockSource() {
  static const RealSource source;
  return source;
}

}  // namespace seatlock::base
