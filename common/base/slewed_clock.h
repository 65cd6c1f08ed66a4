// A clock that follows its source slowly, so that a clock set wrongly for a moment does no harm.
// The source is the machine's clock, or the clock of a store that several servers share
// (FollowedClockSource).
//
// It starts at the source's time, or where an earlier process was if that is later, and goes on by
// the time since boot. If the source jumps, this one runs at most a tenth faster or slower until
// both agree again: an hour takes ten hours. A jump that is undone within a minute therefore moves
// it by six seconds at most.
//
// Between two readings it goes towards the offset found at the first of them. What the second finds
// counts only from then on, so a jump never moves the time that lies before it, however rarely
// anybody asks. Ask at least ten times a second (seatlockd's ticker does), or a jump that is undone
// meanwhile is followed until the next reading.
//
// A corrected frequency (NTP) is no offset: the kernel applies it to both of its clocks. So is a
// suspended machine none: both clocks count the time.
//
// Always, once StartFrom or Adopt has been called if either is: NowMs never decreases; while the
// time since boot advances by T, it advances by between 0.9 T and 1.1 T. Thread-safe.
#pragma once

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace seatlock::base {

class SlewedClock final : public Clock {
 public:
  // `source` outlives this.
  explicit SlewedClock(const ClockSource& source = SystemClockSource());

  // Goes on from `now_ms` (Unix time) if that is later than the machine's time: where an earlier
  // process was. Call it before anybody asks for the time.
  void StartFrom(int64_t now_ms);

  // Takes the source's time as it is, earlier or later: a server calls it when it first hears its
  // store's clock, before any seat is judged. Only the first call does anything: what the source
  // does later is followed slowly.
  void Adopt();

  int64_t NowMs() const override;
  int64_t MonotonicMs() const override;
  int64_t MonotonicUs() const override;

  // The source minus this clock, in microseconds: above 0 if this one is behind.
  int64_t OffsetUs() const;

 private:
  // Takes a reading: moves this clock up to the present.
  void Advance() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const ClockSource& source_;

  mutable Mutex mu_;
  // As of the last reading. In tenths of a microsecond, of which each microsecond allows one to be
  // gained or lost: nothing is rounded away, so it makes no difference how often anybody asks.
  mutable int64_t boot_us_ ABSL_GUARDED_BY(mu_);
  mutable int64_t now_tenths_ ABSL_GUARDED_BY(mu_);
  mutable int64_t offset_tenths_ ABSL_GUARDED_BY(mu_) = 0;
  bool adopted_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace seatlock::base
