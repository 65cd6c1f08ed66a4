#include "common/base/clock.h"

#include <chrono>

namespace seatlock::base {
namespace {

template <typename Unit, typename Source>
int64_t Now() {
  return std::chrono::duration_cast<Unit>(Source::now().time_since_epoch()).count();
}

class RealClock final : public Clock {
 public:
  int64_t NowMs() const override {
    return Now<std::chrono::milliseconds, std::chrono::system_clock>();
  }
  int64_t MonotonicMs() const override {
    return Now<std::chrono::milliseconds, std::chrono::steady_clock>();
  }
  int64_t MonotonicUs() const override {
    return Now<std::chrono::microseconds, std::chrono::steady_clock>();
  }
};

}  // namespace

const Clock& SystemClock() {
  static const RealClock clock;
  return clock;
}

}  // namespace seatlock::base
