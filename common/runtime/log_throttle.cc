#include "common/runtime/log_throttle.h"

#include <utility>

namespace seatlock::runtime {
namespace {

constexpr int64_t kIntervalMs = 1000;

}  // namespace

LogThrottle::LogThrottle(const base::Clock& clock, Write write)
    : clock_(clock), write_(std::move(write)), next_ms_(clock.MonotonicMs()) {}

LogThrottle::~LogThrottle() {
  std::string line;
  uint64_t left_out = 0;
  {
    base::MutexLock lock(mu_);
    if (waiting_ == 0) return;
    line = std::move(last_);
    left_out = waiting_ - 1;
  }
  write_(line, left_out);
}

void LogThrottle::Log(std::string line) {
  const int64_t now_ms = clock_.MonotonicMs();
  uint64_t left_out = 0;
  {
    base::MutexLock lock(mu_);
    if (now_ms < next_ms_) {
      last_ = std::move(line);
      ++waiting_;
      return;
    }
    next_ms_ = now_ms + kIntervalMs;
    left_out = std::exchange(waiting_, 0);
  }
  write_(line, left_out);
}

void LogThrottle::Tick() {
  const int64_t now_ms = clock_.MonotonicMs();
  std::string line;
  uint64_t left_out = 0;
  {
    base::MutexLock lock(mu_);
    if (waiting_ == 0 || now_ms < next_ms_) return;
    next_ms_ = now_ms + kIntervalMs;
    line = std::move(last_);
    left_out = std::exchange(waiting_, 0) - 1;
  }
  write_(line, left_out);
}

}  // namespace seatlock::runtime
