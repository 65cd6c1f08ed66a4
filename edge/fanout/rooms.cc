#include "edge/fanout/rooms.h"

#include <utility>

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
  if (room.subscribers() == 0) Forget(room);
}

std::shared_ptr<Room> Rooms::Forget(const Room& room) {
  const auto found = rooms_.find(room.showtime_id());
  if (found == rooms_.end() || found->second.get() != &room) return nullptr;
  std::shared_ptr<Room> forgotten = std::move(found->second);
  rooms_.erase(found);
  return forgotten;
}

}  // namespace seatlock::edge
