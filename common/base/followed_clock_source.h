// The time of somebody else's clock, such as a store's: what it said last, and on from there by the
// time since boot.
//
// Each answer that carries the other clock proves that it stood at that time at some moment between
// question and answer, so how far it is from the time since boot is known to within the round trip.
// The source moves as little as an answer proves: answers of one steady clock, however late, do not
// make the time jitter. An answer that took longer than 100 ms counts only if none that took less
// came in the 10 s before it. Until the first answer it is the machine's time.
//
// It jumps where the other clock does, as every ClockSource may: a SlewedClock over it does not.
// Thread-safe; reading takes no lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace seatlock::base {

class FollowedClockSource final : public ClockSource {
 public:
  // `machine` outlives this.
  explicit FollowedClockSource(const ClockSource& machine = SystemClockSource())
      : machine_(machine) {}

  // The other clock said `other_us` (Unix time, microseconds) in answer to a question that was sent
  // at `sent_boot_us` and answered by `received_boot_us`, both of BootUs.
  void Heard(int64_t other_us, int64_t sent_boot_us, int64_t received_boot_us);

  // Whether Heard has been called.
  bool HasHeard() const { return offset_us_.load() != kNothingHeard; }

  int64_t WallUs() const override;
  int64_t BootUs() const override { return machine_.BootUs(); }

  // The machine's clock minus the other one, microseconds: above 0 if the machine's is ahead. 0
  // until the first answer.
  int64_t SkewUs() const;

 private:
  static constexpr int64_t kNothingHeard = INT64_MIN;

  const ClockSource& machine_;

  // The other clock minus the time since boot; set by Heard alone.
  std::atomic<int64_t> offset_us_{kNothingHeard};

  Mutex mu_;
  // Of the last answer that counted.
  int64_t round_trip_us_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t received_boot_us_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace seatlock::base
