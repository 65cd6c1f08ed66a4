// The commands that wait in one showtime, in their lanes (lane.h). Thread-compatible.
//
// Within a lane they keep the order in which they came. What sells goes first, but a booking does
// not overtake what its own session sent before it: locks that it would book must be there. So it
// takes its session's waiting commands along, in front of it. What a session sends after a booking,
// without waiting for its answer, is decided after it, unless so much sells that locks get a share
// of the batch.
//
// What was taken out for a batch that came to nothing is put back in front of all, in its order.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "services/seatlock/engine/batch.h"
#include "services/seatlock/engine/lane.h"

namespace seatlock::engine {

class WaitingCommands {
 public:
  void Push(Work work);
  // In front of all that wait, of whichever lane.
  void PutBack(Work work) { put_back_.push_front(std::move(work)); }

  bool empty() const { return put_back_.empty() && selling_.empty() && locking_.empty(); }
  size_t size() const { return put_back_.size() + selling_.size() + locking_.size(); }
  // Of one lane, without those that were put back: for its bound.
  size_t size(Lane lane) const {
    return lane == Lane::kSelling ? selling_.size() : locking_.size();
  }

  // The next one; not empty. `locking_first`: what sells has had its share.
  const Work& front(bool locking_first = false) { return Next(locking_first).front(); }
  Work Pop(bool locking_first = false);

  // All of them, in order.
  std::deque<Work> TakeAll();

 private:
  // The queue that the next one is in.
  std::deque<Work>& Next(bool locking_first);

  std::deque<Work> put_back_;
  std::deque<Work> selling_;
  std::deque<Work> locking_;
};

}  // namespace seatlock::engine
