// Changes of a room gathered for the subprotocol seatlock.v1.batch: the last state of each seat
// since the batch before. Strand-bound.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "edge/core/events.h"

namespace seatlock::edge {

class Batch {
 public:
  void Add(const Change& change) {
    position_ = change.position;
    for (const Seat& seat : change.seats) seats_[seat.seat_id] = seat;
  }
  bool empty() const { return seats_.empty(); }
  // The last change that was added.
  const Position& position() const { return position_; }
  std::vector<const Seat*> seats() const {
    std::vector<const Seat*> result;
    for (const auto& [id, seat] : seats_) result.push_back(&seat);
    return result;
  }
  void Clear() { seats_.clear(); }

 private:
  Position position_;
  std::map<std::string, Seat> seats_;
};

}  // namespace seatlock::edge
