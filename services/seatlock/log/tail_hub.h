// Hands the records that a store has appended to those who follow their showtimes.
//
// Owned by a store. Thread-safe. Publish() only queues, so that a store may call it under the lock
// that orders its appends; Deliver() calls the listeners, in the order of publishing, and is called
// without locks. Costs one atomic read an append while nobody follows. The queue holds what was
// published since the running Deliver() began: stores deliver after each commit, so it is bounded
// by what they commit at once.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/mutex.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {

class TailHub {
 public:
  TailHub();
  // Followers may outlive the hub; their listeners run no more.
  ~TailHub();
  TailHub(const TailHub&) = delete;
  TailHub& operator=(const TailHub&) = delete;

  std::unique_ptr<ShowtimeLog::Follower> Follow(domain::ShowtimeId showtime,
                                                ShowtimeLog::TailListener listener);

  // Whether anybody follows `showtime`.
  bool HasFollowers(const domain::ShowtimeId& showtime) const;

  // Queues `records`, which led to `head`, for those who follow `showtime` now.
  void Publish(const domain::ShowtimeId& showtime, const Head& head,
               const std::vector<StoredRecord>& records);

  // Calls the listeners with all that is queued. Where another thread is at it, that one does.
  void Deliver();

 private:
  class Subscription;
  class Handle;
  struct State;

  const std::shared_ptr<State> state_;  // shared with the handles
};

}  // namespace seatlock::log
