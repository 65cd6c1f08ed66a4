#include "edge/fanout/rooms.h"

#include "edge/fanout/room.h"

namespace seatlock::edge {

Rooms::~Rooms() = default;

Room& Rooms::Get(const std::string& showtime_id) {
  std::shared_ptr<Room>& room = rooms_[showtime_id];
  if (!room) {
    room = std::make_shared<Room>(hub_, showtime_id);
    room->Start();
  }
  return *room;
}

void Rooms::Left(Room& room) {
  if (room.subscribers() > 0) return;
  // The key is copied: the room's own goes with it.
  rooms_.erase(std::string(room.showtime_id()));
}

}  // namespace seatlock::edge
