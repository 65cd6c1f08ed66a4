// A showtime's current_seat_status, encoded once a revision for the rooms of all threads. A room
// asks once a revision and keeps what it gets, so the lock is never taken per connection.
// Thread-safe.
#pragma once

#include "common/base/mutex.h"
#include "edge/protocol/events.h"
#include "edge/protocol/frame.h"

namespace seatlock::edge {

class SnapshotCache {
 public:
  // The frame at `position`; `encode()` gives it where it is not there yet.
  template <typename Encode>
  Frame Get(const Position& position, Encode encode) {
    base::MutexLock lock(mu_);
    if (!frame_ || !(position_ == position)) {
      frame_ = encode();
      position_ = position;
    }
    return frame_;
  }

 private:
  base::Mutex mu_;
  Position position_ ABSL_GUARDED_BY(mu_);
  Frame frame_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::edge
