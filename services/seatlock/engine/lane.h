// The lanes of a showtime's calls: what sells never waits for a crowd that only wants to hold
// seats.
//
//   lane     | calls                                       | goes first
//   kSelling | BookSeats, CancelBooking, the admin service | in a showtime's batch, in the store's
//            |                                             | queue, and on a thread of its own
//            after |                                             | the commit
//   kLocking | LockSeat(s), UnlockSeat(s), ExtendLocks     | after what sells
//   kReading | every read                                  | waits for a commit at most
//
// Each lane has its own bound in a showtime, and the last part of what may wait on the server is
// for selling alone (limits.h).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <numeric>

#include "services/seatlock/domain/command.h"

namespace seatlock::engine {

enum class Lane { kSelling, kLocking, kReading };
inline constexpr size_t kLaneCount = 3;

// A command's lane. What the table does not name is not a shopper's, and goes with what sells.
inline Lane LaneOf(const domain::Command& command) {
  const bool locks = std::holds_alternative<domain::LockSeats>(command.body) ||
                     std::holds_alternative<domain::UnlockSeats>(command.body) ||
                     std::holds_alternative<domain::ExtendLocks>(command.body);
  return locks ? Lane::kLocking : Lane::kSelling;
}

// A number for each lane, such as its calls that have no answer yet. Thread-safe.
class LaneCounts {
 public:
  std::atomic<size_t>& operator[](Lane lane) { return counts_[static_cast<size_t>(lane)]; }
  size_t of(Lane lane) const { return counts_[static_cast<size_t>(lane)]; }
  size_t total() const { return std::accumulate(counts_.begin(), counts_.end(), size_t{0}); }

 private:
  std::array<std::atomic<size_t>, kLaneCount> counts_{};
};

}  // namespace seatlock::engine
