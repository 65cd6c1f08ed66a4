// The rooms that somebody looks at, by showtime. A room is made for its first subscriber and
// lingers a while after its last. Strand-bound.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "edge/core/room.h"

namespace seatlock::edge {

class Rooms {
 public:
  explicit Rooms(const Env& env) : env_(env) {}

  // The room of a showtime, made and started where it is missing. Null where there are too many.
  std::shared_ptr<Room> Get(const std::string& showtime_id);
  // Says that a subscriber left the room.
  void Left(const std::string& showtime_id);

 private:
  struct Slot {
    std::shared_ptr<Room> room;
    uint64_t uses = 0;
  };

  void DropIfUnused(const std::string& showtime_id, uint64_t uses);

  const Env env_;
  absl::flat_hash_map<std::string, Slot> slots_;
  absl::flat_hash_set<std::string> lingering_;
  // Timers look whether this is still there.
  const std::shared_ptr<Rooms*> self_ = std::make_shared<Rooms*>(this);
};

}  // namespace seatlock::edge
