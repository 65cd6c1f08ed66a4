// One thread's rooms that somebody looks at, by showtime. A room is made for its first subscriber
// and goes with its last; the source of its showtime lingers (sources.h). Strand-bound.
#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace seatlock::edge {

class Hub;
class Room;

class Rooms {
 public:
  // `hub` outlives it.
  explicit Rooms(Hub& hub) : hub_(hub) {}
  ~Rooms();

  // The room of a showtime, made and started where it is missing.
  Room& Get(const std::string& showtime_id);
  bool Has(const std::string& showtime_id) const { return rooms_.contains(showtime_id); }
  // Says that a subscriber left the room, which may be gone then.
  void Left(Room& room);
  // The room's feed ended: who comes next gets another one. Returns the room, which may have no
  // other owner.
  std::shared_ptr<Room> Forget(const Room& room);

 private:
  Hub& hub_;
  absl::flat_hash_map<std::string, std::shared_ptr<Room>> rooms_;
};

}  // namespace seatlock::edge
