#include "common/base/followed_clock_source.h"

#include <algorithm>

namespace seatlock::base {
namespace {

// What a healthy store takes, its fsync and its replica's among it, many times over.
constexpr int64_t kRoundTripUsGood = 100'000;
// Two machines' clocks drift apart by a millisecond in that time at most.
constexpr int64_t kBetterCountsUs = 10'000'000;

}  // namespace

void FollowedClockSource::Heard(int64_t other_us, int64_t sent_boot_us, int64_t received_boot_us) {
  const int64_t round_trip_us = received_boot_us - sent_boot_us;
  if (round_trip_us < 0) return;
  MutexLock lock(mu_);
  const int64_t offset_us = offset_us_.load();
  const bool first = offset_us == kNothingHeard;
  const bool better_is_recent = !first && round_trip_us_ < round_trip_us &&
                                received_boot_us - received_boot_us_ < kBetterCountsUs;
  if (round_trip_us > kRoundTripUsGood && better_is_recent) return;
  const int64_t least_us = other_us - received_boot_us;
  const int64_t most_us = other_us - sent_boot_us;
  offset_us_ = first ? least_us + round_trip_us / 2 : std::clamp(offset_us, least_us, most_us);
  round_trip_us_ = round_trip_us;
  received_boot_us_ = received_boot_us;
}

int64_t FollowedClockSource::WallUs() const {
  const int64_t offset_us = offset_us_.load();
  return offset_us == kNothingHeard ? machine_.WallUs() : machine_.BootUs() + offset_us;
}

int64_t FollowedClockSource::SkewUs() const {
  const int64_t offset_us = offset_us_.load();
  return offset_us == kNothingHeard ? 0 : machine_.WallUs() - machine_.BootUs() - offset_us;
}

}  // namespace seatlock::base
