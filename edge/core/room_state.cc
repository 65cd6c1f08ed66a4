#include "edge/core/room_state.h"

#include <cstdlib>
#include <iterator>
#include <utility>

#include "edge/core/limits.h"

namespace seatlock::edge {

bool RoomState::Apply(Change change) {
  if (parts_) return false;
  if (change.position.revision != position_.revision + 1) return false;
  // A showtime gets its epoch with its first change.
  if (position_.revision != 0 && change.position.epoch != position_.epoch) return false;
  known_ = true;
  position_ = change.position;
  snapshot_frame_.reset();
  for (const Seat& seat : change.seats) SetSeat(seat);
  Remember(std::move(change));
  return true;
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

void RoomState::Restart(const Position& position) {
  known_ = true;
  position_ = position;
  base_ = position;
  parts_.reset();
  seats_.clear();
  locked_by_session_.clear();
  history_.clear();
  history_bytes_ = 0;
  snapshot_frame_.reset();
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

void RoomState::Remember(Change change) {
  Entry entry;
  for (size_t i = 0; i < change.seats.size(); ++i) {
    entry.frames.push_back(SeatStatusChangeFrame(showtime_id_, change, i, false));
    // The frame, and about as much again for the seat that it was made from.
    entry.bytes += 2 * entry.frames.back()->size();
  }
  entry.change = std::move(change);
  history_bytes_ += entry.bytes;
  history_.push_back(std::move(entry));
  while (history_.size() > kHistoryChangesMax ||
         (history_bytes_ > kHistoryBytesMax && history_.size() > 1)) {
    base_ = history_.front().change.position;
    history_bytes_ -= history_.front().bytes;
    history_.pop_front();
  }
}

bool RoomState::Covers(const Position& position) const {
  if (!known_ || position.revision > position_.revision) return false;
  if (position.revision < base_.revision) return false;
  return position.revision == 0 || position.epoch == position_.epoch;
}

size_t RoomState::IndexAfter(const Position& position) const {
  return position.revision - base_.revision;
}

Frame RoomState::SnapshotFrame(int64_t now_ms, bool* encoded) {
  const bool fresh = std::abs(now_ms - snapshot_frame_ms_) <= kSnapshotFrameMsMax;
  *encoded = snapshot_frame_ == nullptr || !fresh;
  if (*encoded) {
    std::vector<const Seat*> seats;
    seats.reserve(seats_.size());
    for (const auto& [id, seat] : seats_) seats.push_back(&seat);
    snapshot_frame_ = CurrentSeatStatusFrame(showtime_id_, position_, seats, now_ms);
    snapshot_frame_ms_ = now_ms;
  }
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
