#include "edge/core/rooms.h"

#include "edge/core/limits.h"

namespace seatlock::edge {

std::shared_ptr<Room> Rooms::Get(const std::string& showtime_id) {
  const auto found = slots_.find(showtime_id);
  if (found != slots_.end()) {
    ++found->second.uses;
    lingering_.erase(showtime_id);
    return found->second.room;
  }
  if (slots_.size() >= kRoomsMax) {
    if (lingering_.empty()) return nullptr;
    slots_.erase(*lingering_.begin());
    lingering_.erase(lingering_.begin());
  }
  auto room = std::make_shared<Room>(env_, showtime_id);
  slots_[showtime_id].room = room;
  room->Start();
  return room;
}

void Rooms::Left(const std::string& showtime_id) {
  const auto found = slots_.find(showtime_id);
  if (found == slots_.end() || found->second.room->subscribers() > 0) return;
  lingering_.insert(showtime_id);
  const uint64_t uses = ++found->second.uses;
  env_.timers.After(kRoomLingerMs, [weak = std::weak_ptr<Rooms*>(self_), showtime_id, uses] {
    if (const auto self = weak.lock()) (*self)->DropIfUnused(showtime_id, uses);
  });
}

void Rooms::DropIfUnused(const std::string& showtime_id, uint64_t uses) {
  const auto found = slots_.find(showtime_id);
  if (found == slots_.end() || found->second.uses != uses) return;
  if (found->second.room->subscribers() > 0) return;
  lingering_.erase(showtime_id);
  slots_.erase(found);
}

}  // namespace seatlock::edge
