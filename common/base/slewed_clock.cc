#include "common/base/slewed_clock.h"

#include <algorithm>

namespace seatlock::base {
namespace {

constexpr int64_t kUsPerMs = 1000;
constexpr int64_t kTenths = 10;

}  // namespace

SlewedClock::SlewedClock(const ClockSource& source)
    : source_(source), boot_us_(source.BootUs()), now_tenths_(source.WallUs() * kTenths) {}

void SlewedClock::StartFrom(int64_t now_ms) {
  MutexLock lock(mu_);
  Advance();
  now_tenths_ = std::max(now_tenths_, now_ms * kUsPerMs * kTenths);
  offset_tenths_ = source_.WallUs() * kTenths - now_tenths_;
}

void SlewedClock::Adopt() {
  MutexLock lock(mu_);
  if (adopted_) return;
  adopted_ = true;
  Advance();
  now_tenths_ += offset_tenths_;
  offset_tenths_ = 0;
}

void SlewedClock::Advance() const {
  const int64_t boot_us = source_.BootUs();
  const int64_t wall_us = source_.WallUs();
  const int64_t elapsed_us = std::max<int64_t>(0, boot_us - boot_us_);
  boot_us_ += elapsed_us;
  // The contract: at most 10 % faster or slower, which is one tenth for each microsecond.
  now_tenths_ += elapsed_us * kTenths + std::clamp(offset_tenths_, -elapsed_us, elapsed_us);
  offset_tenths_ = wall_us * kTenths - now_tenths_;
}

int64_t SlewedClock::NowMs() const {
  MutexLock lock(mu_);
  Advance();
  return now_tenths_ / (kTenths * kUsPerMs);
}

int64_t SlewedClock::MonotonicMs() const {
  return source_.BootUs() / kUsPerMs;
}

int64_t SlewedClock::MonotonicUs() const {
  return source_.BootUs();
}

int64_t SlewedClock::OffsetUs() const {
  MutexLock lock(mu_);
  Advance();
  return offset_tenths_ / kTenths;
}

}  // namespace seatlock::base
