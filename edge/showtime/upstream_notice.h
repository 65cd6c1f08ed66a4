// Tells of the service being lost and being back: each turn once, and never more than one in
// kUpstreamNoticeEveryMs, however many streams notice it or however fast it comes and goes.
// Strand-bound.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "common/base/clock.h"
#include "edge/limits.h"
#include "edge/timers.h"

namespace seatlock::edge {

class UpstreamNotice {
 public:
  using Tell = std::function<void(bool up)>;

  // `tell` may be null. The service counts as up until it was seen otherwise.
  UpstreamNotice(const base::Clock& clock, Timers& timers, Tell tell)
      : clock_(clock), timers_(timers), tell_(std::move(tell)) {}

  // The service was seen to be there, or to be lost.
  void Saw(bool up) {
    up_ = up;
    if (up_ != told_ && !waiting_ && tell_) TellOrWait();
  }
  // Tells nothing more: who watched the service leaves.
  void Silence() { tell_ = nullptr; }

 private:
  void TellOrWait() {
    const int64_t wait_ms = told_ms_ + kUpstreamNoticeEveryMs - clock_.MonotonicMs();
    if (wait_ms <= 0) {
      told_ = up_;
      told_ms_ = clock_.MonotonicMs();
      tell_(up_);
      return;
    }
    waiting_ = true;
    timers_.After(wait_ms, [weak = std::weak_ptr<UpstreamNotice*>(self_)] {
      const auto self = weak.lock();
      if (!self) return;
      (*self)->waiting_ = false;
      (*self)->Saw((*self)->up_);
    });
  }

  const base::Clock& clock_;
  Timers& timers_;
  Tell tell_;  // Null: nobody is told.
  bool up_ = true;
  bool told_ = true;
  bool waiting_ = false;
  int64_t told_ms_ = -kUpstreamNoticeEveryMs;
  // Timers look whether this is still there.
  const std::shared_ptr<UpstreamNotice*> self_ = std::make_shared<UpstreamNotice*>(this);
};

}  // namespace seatlock::edge
