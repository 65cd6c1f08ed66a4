#include "edge/showtime/room_state.h"

#include <iterator>
#include <utility>

#include "edge/limits.h"
#include "edge/protocol/frames.h"

namespace seatlock::edge {

bool RoomState::Follows(const Change& change) const {
  if (parts_ || change.position.revision != position_.revision + 1) return false;
  // A showtime gets its epoch with its first change.
  return position_.revision == 0 || change.position.epoch == position_.epoch;
}

void RoomState::Apply(EntryPtr entry, size_t history_bytes_max) {
  known_ = true;
  position_ = entry->change.position;
  snapshot_frame_ = {};
  for (const Seat& seat : entry->change.seats) SetSeat(seat);
  PushHistory(std::move(entry));
  while (history_.size() > kHistoryChangesMax ||
         (history_bytes_ > history_bytes_max && history_.size() > 1)) {
    PopHistory();
  }
}

void RoomState::TrimHistory(size_t bytes_max) {
  while (history_bytes_ > bytes_max) PopHistory();
}

void RoomState::DropHistory(uint64_t upto) {
  while (!history_.empty() && history_.front()->revision() <= upto) PopHistory();
}

void RoomState::PushHistory(EntryPtr entry) {
  history_bytes_ += entry->bytes() + sizeof(EntryPtr);
  history_.push_back(std::move(entry));
}

void RoomState::PopHistory() {
  base_ = history_.front()->change.position;
  history_bytes_ -= history_.front()->bytes() + sizeof(EntryPtr);
  history_.pop_front();
}

bool RoomState::AddSnapshotPart(SnapshotPart part) {
  if (!parts_ || !(parts_->position == part.position)) {
    parts_ = std::move(part);
  } else {
    parts_->more = part.more;
    parts_->seats.insert(parts_->seats.end(), std::make_move_iterator(part.seats.begin()),
                         std::make_move_iterator(part.seats.end()));
  }
  if (parts_->more) return false;
  const SnapshotPart whole = *std::exchange(parts_, std::nullopt);
  Restart(whole.position);
  for (const Seat& seat : whole.seats) SetSeat(seat);
  return true;
}

RoomImage RoomState::Image() const {
  RoomImage image{known_, position_, base_, {}, {history_.begin(), history_.end()}};
  image.seats.reserve(seats_.size());
  for (const auto& [id, seat] : seats_) image.seats.push_back(seat);
  return image;
}

void RoomState::Load(const RoomImage& image) {
  Restart(image.position);
  known_ = image.known;
  base_ = image.base;
  for (const Seat& seat : image.seats) SetSeat(seat);
  for (const EntryPtr& entry : image.history) PushHistory(entry);
}

void RoomState::Restart(const Position& position) {
  known_ = true;
  position_ = position;
  base_ = position;
  parts_.reset();
  seats_.clear();
  locked_by_session_.clear();
  history_.clear();
  history_bytes_ = 0;
  snapshot_frame_ = {};
}

void RoomState::SetSeat(const Seat& seat) {
  if (auto before = seats_.find(seat.seat_id); before != seats_.end()) {
    if (before->second.status == SeatStatus::kLocked) {
      const auto locks = locked_by_session_.find(before->second.session_id);
      locks->second.erase(seat.seat_id);
      if (locks->second.empty()) locked_by_session_.erase(locks);
    }
    seats_.erase(before);
  }
  if (seat.status == SeatStatus::kAvailable) return;
  if (seat.status == SeatStatus::kLocked) {
    locked_by_session_[seat.session_id].insert(seat.seat_id);
  }
  seats_.emplace(seat.seat_id, seat);
}

bool RoomState::Covers(const Position& position) const {
  if (!known_ || position.revision > position_.revision) return false;
  if (position.revision < base_.revision) return false;
  return position.revision == 0 || position.epoch == position_.epoch;
}

const Frame& RoomState::SnapshotFrame(const std::string& showtime_id, int64_t now_ms,
                                      SnapshotCache& cache, bool* encoded) {
  *encoded = false;
  if (snapshot_frame_) return snapshot_frame_;
  snapshot_frame_ = cache.Get(position_, [&] {
    *encoded = true;
    std::vector<const Seat*> seats;
    seats.reserve(seats_.size());
    for (const auto& [id, seat] : seats_) seats.push_back(&seat);
    return CurrentSeatStatusFrame(showtime_id, position_, seats, now_ms);
  });
  return snapshot_frame_;
}

std::vector<Seat> RoomState::LocksOf(const std::string& session_id) const {
  std::vector<Seat> locks;
  const auto found = locked_by_session_.find(session_id);
  if (session_id.empty() || found == locked_by_session_.end()) return locks;
  for (const std::string& seat_id : found->second) locks.push_back(seats_.at(seat_id));
  return locks;
}

}  // namespace seatlock::edge
