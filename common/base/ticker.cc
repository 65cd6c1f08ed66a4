#include "common/base/ticker.h"

#include <utility>

namespace seatlock::base {

Ticker::Ticker(std::chrono::milliseconds interval, std::function<void()> tick)
    : interval_(interval), tick_(std::move(tick)), thread_([this] { Run(); }) {}

Ticker::~Ticker() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  stop_.NotifyOne();
  thread_.join();
}

void Ticker::Run() {
  while (true) {
    {
      MutexLock lock(mu_);
      const auto next = std::chrono::steady_clock::now() + interval_;
      while (!stopping_ && std::chrono::steady_clock::now() < next) {
        stop_.WaitFor(mu_, interval_);
      }
      if (stopping_) return;
    }
    tick_();
  }
}

}  // namespace seatlock::base
